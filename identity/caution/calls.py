"""The same caution for calls, where a setting asks for it.

Asked only about calls that joined something, after they were written: most calls bring nothing
new, and are not to cost a statement more.
"""

from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import Connection

from identity import database, evidence
from identity.caution import onrecord
from identity.caution.examining import examine_records
from identity.caution.suspects import Suspect
from identity.clusters import Cluster
from identity.errors import Conflict
from identity.fillers import MANY
from identity.identifiers import Identifiers, Value
from identity.models import EventKind
from identity.portraying import membership
from identity.reconciliation import Outcome
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody

BY = "caution"
JOINING = EventKind.CONTACT_LINKED, EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED
LARGEST = 2_000
"""Contacts of a customer that a call may take apart. What is larger is for people to review."""


def check(given: Identifiers, outcome: Outcome, source: str, many: int = MANY) -> bool:
    """Let a value that was given link nobody, if it joins too many strangers of one source.

    Tell whether it does from now on: then what was answered is to be asked again.
    """
    return outcome.event in JOINING and check_joined(given.values(), outcome.cluster, source, many)


def check_joined(values: Iterable[Value], cluster: Cluster, source: str, many: int = MANY) -> bool:
    """Do so with values that joined something to a customer, or may have. Tell the same."""
    if not 1 < _contacts_of(cluster) <= LARGEST:
        return False
    for value in values:
        suspect = _suspect(value, source, many)
        if suspect is not None:
            # Another call may have come first with it; what holds for that one holds for this.
            with suppress(Conflict):
                applying.rule(LinksNobody(suspect.value), Ordered(BY, suspect.reason))
            return True
    return False


def _contacts_of(cluster: Cluster) -> int:
    if cluster.whole:
        return len(cluster.members)
    head = database.read(lambda connection: membership.head(connection, cluster.primary_id))
    return head[1] if head else 0


def _suspect(value: Value, source: str, many: int) -> Suspect | None:
    def ask(connection: Connection) -> Suspect | None:
        told = list(onrecord.records(connection, value, source))
        suspect = examine_records(value, told, many)
        if suspect is None or onrecord.undone(connection, [value]):
            return None
        return None if value in evidence.ruled_nobody(connection) else suspect

    return database.read(ask)
