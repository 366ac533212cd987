"""What views ask of the domain, on behalf of whoever is asking."""

from flask import g

from identity import clusters, database, explaining, reconciliation
from identity.clusters import Cluster
from identity.errors import Gone, NotFound
from identity.identifiers import Identifiers
from identity.reconciliation import Outcome
from identity.web import callers, charging, current, metrics


def decide(given: Identifiers, otherwise: str, reference: str = "", name: str = "") -> Outcome:
    """Link `given` to everything known; `otherwise` is the source when nobody has a name."""
    outcome = reconciliation.identify(
        given, source=callers.source(otherwise), reference=reference, name=name
    )
    g.decision = metrics.count_decision(outcome)
    return outcome


def cluster_of(contact_id: int) -> Cluster:
    """Return the customer of a contact; raise `NotFound`, or `Gone` for one that ceased."""
    cluster = database.read(lambda connection: clusters.with_contact(connection, contact_id))
    if cluster is None:
        charging.charge_miss()
        now = database.read(lambda connection: explaining.now(connection, contact_id))
        if now is not None:
            raise Gone(f"Contact {contact_id} ceased.", now)
        raise NotFound(f"There is no contact {contact_id}.")
    return cluster


def region() -> str | None:
    """Return the country by which phone numbers without a country code are read."""
    return current.config().default_phone_region
