"""The JSON endpoints. The shapes of requests are here, the shapes of answers in `presenters`."""

from flask import Response, jsonify, request
from pydantic import ValidationError

from identity import clusters, database, evidence
from identity.errors import InvalidInput, NotFound
from identity.identifiers import Identifiers
from identity.web import blueprint, bodies, callers, charging, paths, presenters
from identity.web.domain import cluster_of, decide, region
from identity.web.marks import May, allow, describe
from identity.web.schemas import (
    CustomerWithContacts,
    Graph,
    Identified,
    IdentifyRequest,
    LookedUp,
    LookupQuery,
    Resolved,
)
from identity.web.security import csrf


@blueprint.post("/identify")
@allow(May.IDENTIFY)
@describe(Identified, Resolved, body=IdentifyRequest)
def identify() -> Response:
    """Link what the body gives to everything known, and answer with the whole customer."""
    outcome = decide(_identifiers_in_body(), "api")
    answer = presenters.masked if callers.masked() else presenters.answer
    return jsonify(answer(outcome.cluster))


# A page of another site cannot send JSON here without asking first, and has no cookie to send.
csrf.exempt(identify)


@blueprint.get("/lookup")
@allow(May.READ)
@describe(LookedUp, errors=(404,), query=LookupQuery)
def lookup() -> Response:
    """Answer with what identify would find. Reads only."""
    query = LookupQuery.model_validate(request.args.to_dict())
    phone_number = query.phoneNumber
    if phone_number and b"phoneNumber=+" in request.query_string:
        # A plus that nobody escaped arrives as a blank: ?phoneNumber=+17755550154.
        phone_number = "+" + phone_number.lstrip()
    given = Identifiers.parse(query.email, phone_number, region=region())
    found = database.read(lambda connection: clusters.find(connection, given))
    if not found.clusters:
        charging.charge_miss()
        raise NotFound("No customer has this email or phone number.")
    return jsonify(presenters.looked_up(found))


@blueprint.get(f"{paths.CLUSTER}.json")
@allow(May.READ)
@describe(CustomerWithContacts, errors=(404,))
def cluster_json(contact_id: int) -> Response:
    """Answer with the customer of a contact, primary or secondary, and all the contacts."""
    return jsonify(presenters.answer_with_contacts(cluster_of(contact_id)))


@blueprint.get(f"{paths.CLUSTER}/graph.json")
@allow(May.READ)
@describe(Graph, errors=(404,))
def graph_json(contact_id: int) -> Response:
    """Answer with the customer's identifiers and the links between them."""
    cluster = cluster_of(contact_id)
    graph = database.read(lambda connection: evidence.graph_of(connection, cluster))
    return jsonify(presenters.graph(graph, cluster.primary_id))


def _identifiers_in_body() -> Identifiers:
    try:
        body = IdentifyRequest.model_validate_json(bodies.read_json())
    except ValidationError as error:
        raise _invalid(error) from None
    return Identifiers.parse(body.email, body.phoneNumber, region=region())


def _invalid(error: ValidationError) -> InvalidInput:
    expected = {
        "email": "email must be a string.",
        "phoneNumber": "phoneNumber must be a string or a whole number.",
    }
    problems = error.errors(include_url=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        # Says what and where, and quotes nothing of the body.
        return InvalidInput(f"The body is not valid JSON: {problems[0]['ctx']['error']}.")
    # A union reports one error for each of its members: the same field, once.
    places = {str(problem["loc"][0]) for problem in problems if problem["loc"]}
    fields = {name: sentence for name, sentence in expected.items() if name in places}
    if fields:
        return InvalidInput(" ".join(fields.values()), fields)
    return InvalidInput("The body must be a JSON object with email, phoneNumber or both.")
