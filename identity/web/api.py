"""The JSON endpoints. The shapes of requests are here, the shapes of answers in `presenters`."""

from flask import Response, abort, current_app, g, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from identity import clusters, database, evidence, reconciliation
from identity.config import Config
from identity.errors import InvalidInput, NotFound
from identity.identifiers import Identifiers
from identity.models import LARGEST_ID
from identity.reconciliation import Outcome
from identity.web import auth, blueprint, metrics, presenters
from identity.web.auth import May, allow
from identity.web.openapi import describe
from identity.web.schemas import (
    CustomerWithContacts,
    Graph,
    Identified,
    IdentifyRequest,
    LookedUp,
    LookupQuery,
    Resolved,
)

CLUSTER_PATH = f"/clusters/<int(max={LARGEST_ID}):contact_id>"


@blueprint.post("/identify")
@allow(May.IDENTIFY)
@describe(Identified, Resolved, body=IdentifyRequest)
def identify() -> Response:
    """Link what the body gives to everything known, and answer with the whole customer."""
    outcome = decide(_identifiers_in_body(), "api")
    answer = presenters.masked if auth.masked() else presenters.answer
    return jsonify(answer(outcome.cluster))


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
        auth.count_miss()
        raise NotFound("No customer has this email or phone number.")
    return jsonify(presenters.looked_up(found))


@blueprint.get(f"{CLUSTER_PATH}.json")
@allow(May.READ)
@describe(CustomerWithContacts, errors=(404,))
def cluster_json(contact_id: int) -> Response:
    """Answer with the customer of a contact, primary or secondary, and all the contacts."""
    return jsonify(presenters.answer_with_contacts(cluster_of(contact_id)))


@blueprint.get(f"{CLUSTER_PATH}/graph.json")
@allow(May.READ)
@describe(Graph, errors=(404,))
def graph_json(contact_id: int) -> Response:
    """Answer with the customer's identifiers and the links between them."""
    cluster = cluster_of(contact_id)
    graph = database.read(lambda connection: evidence.graph_of(connection, cluster))
    return jsonify(presenters.graph(graph, cluster.primary_id))


def decide(given: Identifiers, otherwise: str) -> Outcome:
    """Link `given` to everything known; `otherwise` is the source when nobody has a name."""
    outcome = reconciliation.identify(given, source=auth.source(otherwise))
    g.decision = metrics.count_decision(outcome)
    return outcome


def cluster_of(contact_id: int) -> clusters.Cluster:
    """Return the customer of a contact; raise `NotFound` when there is no such contact."""
    cluster = database.read(lambda connection: clusters.with_contact(connection, contact_id))
    if cluster is None:
        auth.count_miss()
        raise NotFound(f"There is no contact {contact_id}.")
    return cluster


def _identifiers_in_body() -> Identifiers:
    if not request.is_json:
        abort(415)
    data = _body()
    if request.content_length is None and len(data) == request.max_content_length:
        # A body sent in chunks is cut off at the limit, without a word.
        abort(413)
    try:
        body = IdentifyRequest.model_validate_json(data)
    except ValidationError as error:
        raise _invalid(error) from None
    return Identifiers.parse(body.email, body.phoneNumber, region=region())


def _body() -> bytes:
    try:
        return request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception:
        # Each server has errors of its own for a body that breaks off or is badly framed.
        raise InvalidInput("The body cannot be read.") from None


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


def region() -> str | None:
    """Return the country by which phone numbers without a country code are read."""
    config: Config = current_app.config["IDENTITY"]
    return config.default_phone_region
