"""What views ask of the domain, on behalf of whoever is asking."""

from flask import g

from identity import clusters, database, reconciliation
from identity.clusters import Cluster
from identity.errors import NotFound
from identity.identifiers import Identifiers
from identity.reconciliation import Outcome
from identity.web import callers, charging, current, metrics


def decide(given: Identifiers, otherwise: str) -> Outcome:
    """Link `given` to everything known; `otherwise` is the source when nobody has a name."""
    outcome = reconciliation.identify(given, source=callers.source(otherwise))
    g.decision = metrics.count_decision(outcome)
    return outcome


def cluster_of(contact_id: int) -> Cluster:
    """Return the customer of a contact; raise `NotFound` when there is no such contact."""
    cluster = database.read(lambda connection: clusters.with_contact(connection, contact_id))
    if cluster is None:
        charging.charge_miss()
        raise NotFound(f"There is no contact {contact_id}.")
    return cluster


def region() -> str | None:
    """Return the country by which phone numbers without a country code are read."""
    return current.config().default_phone_region
