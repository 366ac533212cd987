"""The workshop: link what was given to everything already known.

Read first, outside any transaction: most calls bring nothing new and end there. Otherwise
decide in a short transaction that locks the primaries it is about to change. The database
holds the invariant (an identifier has one cluster) and objects when a race was lost; then
everything is read and decided again.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from identity import clusters, database, events
from identity.clusters import Cluster, Found, Member
from identity.errors import LostRace
from identity.events import EventKind
from identity.identifiers import Identifiers
from identity.models import Contact, Id, Identifier, Kind, Link, Precedence

_contact = Contact.__table__.c

# In the order of their ids, always: two merges that lock the same two primaries in opposite
# orders would wait for each other for ever.
LOCK = (
    select(_contact.id)
    .where(
        _contact.id.in_((bindparam("one", type_=Id), bindparam("other", type_=Id))),
        _contact.linked_id.is_(None),
    )
    .order_by(_contact.id)
    .with_for_update()
)
ABSORB = (
    update(Contact.__table__)
    .where(
        or_(_contact.id == bindparam("absorbed"), _contact.linked_id == bindparam("absorbed")),
    )
    .values(
        linked_id=bindparam("survivor"),
        link_precedence=Precedence.SECONDARY.value,
        updated_at=bindparam("now"),
    )
)
ADD_CONTACT = insert(Contact.__table__).returning(_contact.id)
ADD_IDENTIFIER = insert(Identifier.__table__)
ADD_LINK = insert(Link.__table__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The customer after a call to identify, and what the call changed."""

    cluster: Cluster
    event: EventKind | None
    """What was written to the ledger; None when nothing was new."""


def identify(given: Identifiers, *, source: str) -> Outcome:
    """Link `given` to everything known by a shared email or phone number.

    Durable when it returns. Raise `Unavailable` when the database cannot be reached or the
    race for this customer stayed lost; then nothing was written.
    """
    return database.retrying(lambda: _identify(given, source))


def _identify(given: Identifiers, source: str) -> Outcome:
    with database.reading() as connection:
        found = clusters.find(connection, given)
    if found.settles(given):
        return Outcome(found.clusters[0], None)
    with database.transaction() as connection:
        if found.clusters:
            # With nothing to lock, the identifiers' key alone tells whether we came second.
            found = _lock(connection, found, given)
            if found.settles(given):
                return Outcome(found.clusters[0], None)
        return Decision(connection, given, source, datetime.now(UTC)).take(found)


def _lock(connection: Connection, found: Found, given: Identifiers) -> Found:
    primaries = [cluster.primary_id for cluster in found.clusters]
    connection.execute(LOCK, {"one": primaries[0], "other": primaries[-1]})
    # The first reading is old news by the time the lock is ours. What is read now stays true
    # until we commit, but only for the clusters that we hold.
    again = clusters.find(connection, given)
    if not {cluster.primary_id for cluster in again.clusters} <= set(primaries):
        raise LostRace("another call merged this customer first")
    return again


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, taken in a transaction that holds the primaries concerned."""

    connection: Connection
    given: Identifiers
    source: str
    now: datetime

    def take(self, found: Found) -> Outcome:
        """Write what `given` adds to what was found."""
        if len(found.clusters) == 2:
            return self._merge(*found.clusters)
        cluster = found.clusters[0] if found.clusters else None
        if cluster and cluster.knows(self.given):
            self._add_link()
            self._tell(EventKind.LINK_SEEN, cluster.primary_id, None)
            return Outcome(cluster, EventKind.LINK_SEEN)
        return self._add_contact(cluster)

    def _add_contact(self, cluster: Cluster | None) -> Outcome:
        created_at, primary_id = self.now, None
        if cluster:
            # A machine whose clock is behind must not make a secondary older than its primary.
            created_at = max(self.now, cluster.primary.created_at + timedelta(microseconds=1))
            primary_id = cluster.primary_id
        precedence = Precedence.SECONDARY if cluster else Precedence.PRIMARY
        given = self.given
        contact_id = self.connection.execute(
            ADD_CONTACT,
            {
                "email": given.email,
                "phone_number": given.phone_number,
                "linked_id": primary_id,
                "link_precedence": precedence.value,
                "created_at": created_at,
                "updated_at": created_at,
            },
        ).scalar_one()
        known = set(cluster.emails + cluster.phone_numbers) if cluster else set()
        for kind, value in (Kind.EMAIL, given.email), (Kind.PHONE, given.phone_number):
            if value and value not in known:
                self.connection.execute(
                    ADD_IDENTIFIER, {"kind": kind.value, "value": value, "contact_id": contact_id}
                )
        self._add_link()
        event = EventKind.CONTACT_LINKED if cluster else EventKind.CONTACT_CREATED
        self._tell(event, primary_id or contact_id, contact_id)
        member = Member(contact_id, primary_id, given.email, given.phone_number, created_at)
        return Outcome(_joined(*(cluster.members if cluster else ()), member), event)

    def _merge(self, older: Cluster, younger: Cluster) -> Outcome:
        survivor, absorbed = older.primary_id, younger.primary_id
        self.connection.execute(
            ABSORB, {"absorbed": absorbed, "survivor": survivor, "now": self.now}
        )
        self._add_link()
        moved = [member.id for member in younger.members]
        self._tell(EventKind.CLUSTERS_MERGED, survivor, absorbed, absorbed=absorbed, moved=moved)
        followers = (replace(member, linked_id=survivor) for member in younger.members)
        return Outcome(_joined(*older.members, *followers), EventKind.CLUSTERS_MERGED)

    def _add_link(self) -> None:
        if self.given.email and self.given.phone_number:
            self.connection.execute(
                ADD_LINK,
                {
                    "email": self.given.email,
                    "phone_number": self.given.phone_number,
                    "source": self.source,
                    "first_seen_at": self.now,
                },
            )

    def _tell(
        self, kind: EventKind, primary_id: int, contact_id: int | None, **detail: object
    ) -> None:
        events.append(
            self.connection,
            kind,
            occurred_at=self.now,
            source=self.source,
            primary_id=primary_id,
            contact_id=contact_id,
            given=self.given,
            detail=detail or None,
        )


def _joined(primary: Member, *secondaries: Member) -> Cluster:
    oldest_first = sorted(secondaries, key=lambda member: (member.created_at, member.id))
    return Cluster.of((primary, *oldest_first))
