"""The workshop: link what was given to everything already known.

Read first, outside any transaction: most calls bring nothing new and end there. Otherwise
decide in a short transaction that locks the primaries it is about to change. The database
holds the invariant (an identifier has one cluster) and objects when a race was lost; then
everything is read and decided again. Who belongs together is `deciding`'s to say.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, select

from identity import clusters, database, evidence, forgetting, group_commit, rebuilding, writing
from identity.clusters import Cluster, Extent, Found, Member
from identity.deciding import Call, Customers, Decided, Known, Ruled, decide
from identity.errors import InvalidInput, LostRace
from identity.forgetting import BroughtAgain
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Contact, EventKind, Id
from identity.rebuilding import Drifted
from identity.writing import Teller, Written

DRIFTED = 2
"""Races lost in a row after which the tables themselves are suspected."""

# In the order of their ids, always: two merges that lock the same two primaries in opposite
# orders would wait for each other for ever.
LOCK = (
    select(Contact.id)
    .where(
        Contact.id.in_((bindparam("one", type_=Id), bindparam("other", type_=Id))),
        Contact.linked_id.is_(None),
        Contact.deleted_at.is_(None),
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
    kept_apart_from: int | None = None
    """The primary of the phone number's customer, whom a ruling keeps apart from the email's."""
    links_nobody: Kind | None = None
    """Which of the two was given and links nobody."""


def identify(given: Identifiers, *, source: str, reference: str = "", name: str = "") -> Outcome:
    """Link `given` to everything known by a shared email or phone number.

    `reference` is what the source calls the record, `name` the name it has for it; neither links.
    Durable when it returns. Raise `InvalidInput` when nothing of it counts, and `Unavailable` when
    the database cannot be reached or the race for this customer stayed lost; then nothing is half
    written, and to call again is right.

    What was erased counts as not given, and with it goes what the record is called. So does a
    reference or a name in which something stands that was erased.
    """
    call = Call(given.email, given.phone_number, reference=reference, name=name)
    tries = iter(range(database.TRIES))
    try:
        return database.retrying(lambda: _identify(given, call, source, next(tries)))
    except BroughtAgain as met:
        forgetting.tried(dict.fromkeys(met.values, 1))
        if (erased := met.values).isdisjoint(given.values()):
            is_erased = erased.__contains__
            told = call.without_texts(lambda text: forgetting.stand_in([text], is_erased))
            return identify(given, source=source, reference=told.reference, name=told.name)
        return identify(given.without(met.values), source=source)


def _identify(given: Identifiers, call: Call, source: str, lost: int) -> Outcome:
    if lost == DRIFTED:
        # A race is lost to somebody. Lost again and again, it may be to rows that contradict the
        # evidence, and those will win for ever.
        rebuilding.mend(given.values())
    try:
        with database.reading() as connection:
            found = _find(connection, given, call, source)
            if found.is_repeat(given):
                return _outcome(given, found, found.clusters, None)
            texts = call.reference, call.name
            up_to = forgetting.check(connection, given.values(), texts=texts)
    except Drifted as drifted:
        rebuilding.mend(drifted.values)
        raise
    if found.contradicts(given) and not lost:
        # On record, and the tables do not hold it.
        rebuilding.mend(given.values())
        raise LostRace("the tables were put right first")
    # A new customer has nothing to lock: the identifiers' key alone tells if we came second.
    is_new = not found.clusters and found.claim is None
    alone = is_new and not (found.ruled_apart or found.nobody or call.reference or call.name)

    def write(connection: Connection) -> Outcome:
        teller = Teller(source, datetime.now(UTC), up_to=up_to)
        return _decide(connection, found, given, call, teller, lost)

    if database.has_one_writer():
        return group_commit.decide(write)
    with database.transaction(one_statement=alone) as connection:
        return write(connection)


def _decide(
    connection: Connection, found: Found, given: Identifiers, call: Call, teller: Teller, lost: int
) -> Outcome:
    """Decide in a transaction, and write what was decided."""
    if found.clusters or found.nobody:
        found = _lock(connection, found, given, call, teller.source)
        # The lock may have been waited for.
        teller = teller._replace(now=datetime.now(UTC))
    known, ruled = _known(connection, found, call, teller.now, hold=True)
    if lost < DRIFTED and _is_torn(found, known, ruled):
        raise LostRace("somebody told of one customer, and the tables hold two")
    decided = decide([call], known, ruled, teller.now)
    if decided.changes_nothing:
        return _outcome(given, found, found.clusters, None)
    written = writing.write(connection, decided, teller)
    event = decided.lines[-1].kind if decided.lines else None
    return _outcome(given, found, _after(found, decided, written), event)


def _find(
    connection: Connection,
    given: Identifiers,
    call: Call,
    source: str,
    extent: Extent = Extent.ENOUGH,
) -> Found:
    found = clusters.find(connection, given, source, call.reference, call.name, extent)
    if not found.nobody:
        return found
    left = found.left(given)
    if left.email is None and left.phone_number is None:
        if not evidence.ruled_nobody(connection).issuperset(given.values()):
            # No ruling says so, and the tables do.
            raise Drifted(set(given.values()))
        raise nothing_left(given.values())
    return found


def nothing_left(given: Iterable[Value]) -> InvalidInput:
    """Return what is told to whoever gave nothing but values that link nobody."""
    fields = {value.kind.field: "links nobody, by a ruling." for value in given}
    return InvalidInput(
        f"Nothing is left to identify by: {' and '.join(fields)} "
        f"{'link' if len(fields) > 1 else 'links'} nobody, by a ruling.",
        {field: f"{field} {sentence}" for field, sentence in fields.items()},
    )


def _lock(
    connection: Connection, found: Found, given: Identifiers, call: Call, source: str
) -> Found:
    primaries = [cluster.primary_id for cluster in found.clusters] or [0]
    locked = connection.execute(LOCK, {"one": primaries[0], "other": primaries[-1]}).all()
    if found.nobody:
        evidence.hold_nobody(connection, given.values())
    # The first reading is old news by the time the lock is ours. What is read now stays true
    # until we commit, but only for the clusters that we hold.
    extent = Extent.FEW if found.few else Extent.ENOUGH
    again = _find(connection, given, call, source, extent)
    if _needs_all(connection, again):
        again = _find(connection, given, call, source, Extent.ALL)
    if not {cluster.primary_id for cluster in again.clusters} <= {row.id for row in locked}:
        raise LostRace("another call merged this customer first")
    return again


def _needs_all(connection: Connection, found: Found) -> bool:
    """Tell whether all members have to be read: what they have may be kept apart from the others'.

    Of a large customer that takes as long as its answer, and is seldom so.
    """
    may_join = len(found.clusters) > 1
    return found.few and (found.ruled_apart or (may_join and evidence.anything_apart(connection)))


@dataclass(frozen=True, slots=True)
class Looked:
    """What identify would answer with, and whom it would merge."""

    cluster: Cluster
    would_merge_with: Cluster | None
    kept_apart_from: int | None
    """As in `Outcome`; so is the next one."""
    links_nobody: Kind | None


def look_up(given: Identifiers) -> Looked | None:
    """Return what identify would find; None when nobody is known by what is given."""
    return database.read(lambda connection: _look_up(connection, given))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a call to identify would do."""

    clusters: tuple[Cluster, ...]
    """Those who are known by what is given, as they are; the one that stays comes first."""
    event: EventKind | None
    """As in `Outcome`; so are the next two."""
    kept_apart_from: int | None
    links_nobody: Kind | None


def foresee(given: Identifiers, *, source: str) -> Foreseen:
    """Return what `identify` would do; raise `InvalidInput` when nothing given counts."""
    with database.snapshot() as connection:
        if erased := forgetting.remembered(connection, given.values()):
            given = given.without(erased)
        call = Call(given.email, given.phone_number)
        found = _find(connection, given, call, source, Extent.ALL)
        now = datetime.now(UTC)
        known, ruled = _known(connection, found, call, now, hold=False)
        decided = decide([call], known, ruled, now)
    event = decided.lines[-1].kind if decided.lines else None
    apart = decided.held or (event is None and len(found.clusters) > 1)
    other = [found.of(value) for value in found.left(given).values()][-1]
    return Foreseen(
        found.clusters,
        event,
        other.primary_id if apart and other else None,
        next(iter(found.nobody), None),
    )


def _look_up(connection: Connection, given: Identifiers) -> Looked | None:
    found = clusters.find(connection, given)
    left = list(found.left(given).values())
    links_nobody = next(iter(found.nobody), None)
    if len(left) == 2 and (found.ruled_apart or len(found.clusters) == 2):
        if _needs_all(connection, found):
            found = clusters.find(connection, given, extent=Extent.ALL)
        call = Call(given.email, given.phone_number)
        known, ruled = _known(connection, found, call, datetime.now(UTC), hold=False)
        if Customers(ruled, known).kept_apart(*left) is not None:
            cluster, other = map(found.of, left)
            primary_id = other.primary_id if other else None
            return Looked(cluster, None, primary_id, None) if cluster else None
    if not left or not found.clusters:
        return None
    cluster, *others = found.clusters
    return Looked(cluster, others[0] if others else None, None, links_nobody)


def _known(
    connection: Connection, found: Found, call: Call, now: datetime, *, hold: bool
) -> tuple[Known, Ruled]:
    """Return what was found, and what was ruled about it, as `deciding` wants it.

    `hold` keeps what was ruled as it is until the transaction ends.
    """
    known, ruled = Known(), _ruled(connection, found, call, hold=hold)
    here = {*call.content, None}
    for cluster in found.clusters:
        primary = cluster.primary
        known.oldest[primary.id] = primary.created_at, primary.id
        known.holders |= {value: primary.id for value in call.values() if cluster.has(value)}
        known.concerned[primary.id] = set(filter(cluster.has, ruled.apart))
        for member in cluster.members:
            # Only what this call may say. The others' dates cannot change by it.
            if member.email in here and member.phone_number in here:
                content = member.email, member.phone_number
                known.contents.setdefault(content, (member.id, member.created_at))
    if found.claim is not None:
        known.claims[call.content] = found.claim, now
        if found.carried:
            known.references.add((found.claim, call.reference, call.name))
    if all(map(found.of, call.values())) and evidence.is_told(connection, call.content):
        known.pairs.add(call.content)
    return known, ruled


def _is_torn(found: Found, known: Known, ruled: Ruled) -> bool:
    """Tell whether two customers were told to be one, and nothing keeps them apart."""
    if len(found.clusters) < 2 or not known.pairs:
        return False
    ((email, phone_number),) = known.pairs
    values = Identifiers(email, phone_number).values()
    return Customers(ruled, known).kept_apart(*values) is None


def _ruled(connection: Connection, found: Found, call: Call, *, hold: bool) -> Ruled:
    """Return what was ruled about what may be joined."""
    ruled = Ruled({value for value in call.values() if value.kind in found.nobody})
    concerned = set(call.values())
    if len(found.clusters) > 1:
        smaller = min(found.clusters, key=lambda cluster: len(cluster.members))
        concerned |= set(smaller.values())
    elif not found.ruled_apart:
        # Whoever is new is kept apart from somebody only where it is named itself.
        return ruled
    evidence.read_apart(connection, concerned, ruled, hold=hold)
    return ruled


def _after(found: Found, decided: Decided, written: Written) -> tuple[Cluster, ...]:
    """Return the clusters found, as they are after the decision."""
    heirs = {former: written.contact(heir) for former, heir in decided.absorbed}
    dates = {id_: dated for id_, _, dated in decided.redated}
    members: dict[int, list[Member]] = {}
    for cluster in found.clusters:
        primary_id = heirs.get(cluster.primary_id, cluster.primary_id)
        for member in cluster.members:
            linked_id = None if member.id == primary_id else primary_id
            created_at = dates.get(member.id, member.created_at)
            members.setdefault(primary_id, []).append(
                replace(member, linked_id=linked_id, created_at=created_at)
            )
    for number, email, phone_number, created_at, primary in decided.contacts:
        id_, primary_id = written.contact(number), written.contact(primary)
        linked_id = None if id_ == primary_id else primary_id
        members.setdefault(primary_id, []).append(
            Member(id_, linked_id, email, phone_number, created_at)
        )
    return tuple(clusters.in_order(each, whole=not found.few) for each in members.values())


def _outcome(
    given: Identifiers, found: Found, after: tuple[Cluster, ...], event: EventKind | None
) -> Outcome:
    if len(after) == 1 and not found.nobody:
        return Outcome(after[0], event)
    left = list(found.left(given).values())
    by_value = {value: each for each in after for value in left if each.has(value)}
    cluster = by_value[left[0]]
    other = by_value[left[-1]]
    return Outcome(
        cluster,
        event,
        other.primary_id if other.primary_id != cluster.primary_id else None,
        next(iter(found.nobody), None),
    )
