"""The workshop: link what was given to everything already known.

Read first, outside any transaction: most calls bring nothing new and end there. Otherwise
decide in a short transaction that locks the primaries it is about to change. The database
holds the invariant (an identifier has one cluster) and objects when a race was lost; then
everything is read and decided again.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from identity import clusters, database
from identity.clusters import Cluster, Found, Member
from identity.errors import LostRace
from identity.events import EventKind
from identity.identifiers import Identifiers
from identity.models import Contact, Id
from identity.writing import Pen

# In the order of their ids, always: two merges that lock the same two primaries in opposite
# orders would wait for each other for ever.
LOCK = (
    select(Contact.id)
    .where(
        Contact.id.in_((bindparam("one", type_=Id), bindparam("other", type_=Id))),
        Contact.linked_id.is_(None),
    )
    .order_by(Contact.id)
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The customer after a call to identify, and what the call changed."""

    cluster: Cluster
    event: EventKind | None
    """What was written to the ledger; None when nothing was new."""


def identify(given: Identifiers, *, source: str) -> Outcome:
    """Link `given` to everything known by a shared email or phone number.

    Durable when it returns. Raise `Unavailable` when the database cannot be reached or the
    race for this customer stayed lost; then nothing is half written, and to call again is right.
    """
    return database.retrying(lambda: _identify(given, source))


def _identify(given: Identifiers, source: str) -> Outcome:
    with database.reading() as connection:
        found = clusters.find(connection, given)
    if found.settles(given):
        return Outcome(found.clusters[0], None)
    # A new customer has nothing to lock: the identifiers' key alone tells if we came second.
    with database.transaction(one_statement=not found.clusters) as connection:
        if found.clusters:
            found = _lock(connection, found, given)
        return _decide(found, Pen(connection, given, source, datetime.now(UTC)))


def _lock(connection: Connection, found: Found, given: Identifiers) -> Found:
    primaries = [cluster.primary_id for cluster in found.clusters]
    connection.execute(LOCK, {"one": primaries[0], "other": primaries[-1]}).all()
    # The first reading is old news by the time the lock is ours. What is read now stays true
    # until we commit, but only for the clusters that we hold.
    again = clusters.find(connection, given)
    if not {cluster.primary_id for cluster in again.clusters} <= set(primaries):
        raise LostRace("another call merged this customer first")
    return again


def _decide(found: Found, pen: Pen) -> Outcome:
    match found.clusters:
        case ():
            return _create(pen)
        case (older, younger):
            return _merge(older, younger, pen)
        case (cluster,) if not cluster.knows(pen.given):
            return _extend(cluster, pen)
        case (cluster,) if found.settles(pen.given):
            return Outcome(cluster, None)
        case (cluster,):
            pen.add_link(cluster.primary_id)
            return Outcome(cluster, EventKind.LINK_SEEN)
    raise AssertionError("two identifiers are in at most two clusters")


def _create(pen: Pen) -> Outcome:
    given, now = pen.given, pen.now
    contact_id = pen.add_contact(given, None, now)
    member = Member(contact_id, None, given.email, given.phone_number, now)
    return Outcome(Cluster.of([member]), EventKind.CONTACT_CREATED)


def _extend(cluster: Cluster, pen: Pen) -> Outcome:
    given, primary = pen.given, cluster.primary
    new = Identifiers(
        None if given.email in cluster.emails else given.email,
        None if given.phone_number in cluster.phone_numbers else given.phone_number,
    )
    # A machine whose clock is behind must not make a secondary older than its primary.
    created_at = max(pen.now, primary.created_at + timedelta(microseconds=1))
    contact_id = pen.add_contact(new, primary.id, created_at)
    member = Member(contact_id, primary.id, given.email, given.phone_number, created_at)
    return Outcome(_joined(*cluster.members, member), EventKind.CONTACT_LINKED)


def _merge(older: Cluster, younger: Cluster, pen: Pen) -> Outcome:
    moved = [member.id for member in younger.members]
    pen.absorb(younger.primary_id, older.primary_id, moved)
    followers = (replace(member, linked_id=older.primary_id) for member in younger.members)
    return Outcome(_joined(*older.members, *followers), EventKind.CLUSTERS_MERGED)


def _joined(primary: Member, *secondaries: Member) -> Cluster:
    oldest_first = sorted(secondaries, key=lambda member: (member.created_at, member.id))
    return Cluster.of((primary, *oldest_first))
