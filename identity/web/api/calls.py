"""The JSON endpoints. The shapes of requests are here, the shapes of answers in `presenters`."""

from flask import Response, jsonify

from identity import database, explaining, reconciliation
from identity.auditing import Deed
from identity.errors import NotFound
from identity.identifiers import Identifiers
from identity.portraying import graphs
from identity.web import blueprint, callers, charging, metrics, paths, query
from identity.web.api import answers, presenters, reading
from identity.web.api.schemas import (
    CustomerWithContacts,
    Graph,
    Identified,
    IdentifyRequest,
    LookedUp,
    LookupQuery,
    LookupRequest,
    Resolved,
)
from identity.web.domain import cluster_of, crowd_of, decide, region
from identity.web.marks import May, allow, describe, quick, recorded
from identity.web.security import csrf


@blueprint.post("/identify")
@allow(May.IDENTIFY)
@describe(Identified, Resolved, body=IdentifyRequest)
@recorded(Deed.LOOKED_UP)
@quick
def identify() -> Response:
    """Link what the body gives to everything known, and answer with the whole customer."""
    call = reading.call(reading.body(IdentifyRequest))
    given = Identifiers(*call.content)
    outcome = decide(given, "api", call.reference, call.name)
    crowd = crowd_of(outcome.cluster, given)
    if crowd is not None:
        metrics.count_crowd(crowd.contacts)
    answer = answers.masked if callers.masked() else answers.identified
    return answer(outcome, crowd)


@blueprint.get("/lookup")
@allow(May.READ)
@describe(LookedUp, errors=(404,), query=LookupQuery)
@recorded(Deed.LOOKED_UP)
@quick
def lookup() -> Response:
    """Answer with what identify would find. Reads only; an email or a phone number is needed.

    Addresses are written down by whatever stands between, and what is looked up with it: better
    send it as the body of `POST /lookup`.
    """
    asked = query.read(LookupQuery)
    phone_number = asked.phoneNumber and query.with_plus("phoneNumber", asked.phoneNumber)
    return _looked_up(Identifiers.parse(asked.email, phone_number, region=region()))


@blueprint.post("/lookup")
@allow(May.READ)
@describe(LookedUp, errors=(404,), body=LookupRequest)
@recorded(Deed.LOOKED_UP)
@quick
def look_up() -> Response:
    """Answer with what identify would find, and leave it out of the address. Reads only."""
    body = reading.body(LookupRequest)
    return _looked_up(Identifiers.parse(body.email, body.phoneNumber, region=region()))


# A page of another site cannot send JSON here without asking first, and has no cookie to send.
for view in identify, look_up:
    csrf.exempt(view)


def _looked_up(given: Identifiers) -> Response:
    looked = reconciliation.look_up(given)
    if looked is None:
        charging.charge_miss()
        raise NotFound("No customer has this email or phone number.")
    crowd, other = crowd_of(looked.cluster, given), None
    if looked.would_merge_with is not None:
        other = crowd_of(looked.would_merge_with, given)
    return answers.looked_up(looked, crowd, other)


@blueprint.get(f"{paths.CLUSTER}.json")
@allow(May.READ)
@describe(CustomerWithContacts, errors=(404, 410))
@recorded(Deed.LOOKED_UP)
def cluster_json(contact_id: int) -> Response:
    """Answer with the customer of a contact, primary or secondary, and all the contacts."""
    cluster = cluster_of(contact_id)
    held = database.read(lambda connection: explaining.held_of(connection, cluster))
    named = database.read(lambda connection: explaining.named_of(connection, cluster))
    told = presenters.answer_with_contacts(cluster, held, named)
    return answers.canonical(jsonify(told), "web.cluster_json", cluster.primary_id)


@blueprint.get(f"{paths.CLUSTER}/graph.json")
@allow(May.READ)
@describe(Graph, errors=(404, 410))
@recorded(Deed.LOOKED_UP)
def graph_json(contact_id: int) -> Response:
    """Answer with the customer's identifiers and the links between them."""
    cluster = cluster_of(contact_id)
    graph = database.read(lambda connection: graphs.graph_of(connection, cluster))
    told = presenters.graph(graph, cluster.primary_id)
    return answers.canonical(jsonify(told), "web.graph_json", cluster.primary_id)
