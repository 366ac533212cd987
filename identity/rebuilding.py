"""Customers, rebuilt from their evidence.

Some values are named, and everything that is connected with them is read: claims, contacts,
identifiers, rulings. `deciding` says which customers follow from that, and what stands otherwise
in the tables is the difference. Planning stops here; `correct` writes it; and to verify is to find
no difference anywhere.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, FromClause, select

from identity import clusters, comparing, database, evidence, transcribing, writing
from identity.bulk import Question, Selected
from identity.clusters import Cluster, Member
from identity.deciding import NEW, Customers, Made, Memory, Ruled
from identity.errors import LostRace
from identity.evidence import Telling
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Contact, EventKind
from identity.probing import is_value
from identity.writing import Corrections, Row, Written


class Drifted(LostRace):
    """The tables are otherwise than the evidence about some values, and are to be mended first."""

    def __init__(self, values: set[Value]) -> None:
        super().__init__("the tables are otherwise than the evidence")
        self.values = values


class Stored(NamedTuple):
    """A contact as it stands in the table."""

    id: int
    linked_id: int | None
    email: str | None
    phone_number: str | None
    created_at: datetime
    ceased_at: datetime | None

    def values(self) -> Iterator[Value]:
        """Yield what it holds."""
        if self.email is not None:
            yield Value(Kind.EMAIL, self.email)
        if self.phone_number is not None:
            yield Value(Kind.PHONE, self.phone_number)


@dataclass(slots=True)
class Part:
    """Customers, and everything on record that is connected with them."""

    claims: dict[int, Telling] = field(default_factory=dict)
    contacts: dict[int, Stored] = field(default_factory=dict)
    holders: dict[Value, int | None] = field(default_factory=dict)
    """The contact of each value; None for one that links nobody."""
    ruled: Ruled = field(default_factory=Ruled)

    def primaries(self) -> set[int]:
        """Return the ids of the contacts that stand for a customer."""
        return {
            contact.id
            for contact in self.contacts.values()
            if contact.linked_id is None and contact.ceased_at is None
        }

    def customers(self) -> list[Cluster]:
        """Return the customers as they stand."""
        members: dict[int, list[Member]] = {}
        for stored in self.contacts.values():
            if stored.ceased_at is None:
                member = Member(*stored[:5])
                members.setdefault(stored.linked_id or stored.id, []).append(member)
        return [clusters.in_order(each) for each in members.values()]


_contact = Contact.table().c
_columns = (
    *(_contact.id, _contact.linked_id, _contact.email, _contact.phone_number),
    *(_contact.created_at, _contact.deleted_at),
)


def _contacts(asked: FromClause) -> Selected:
    return select(*_columns).select_from(asked).join(Contact.table(), _contact.id == asked.c.id)


def _followers(asked: FromClause) -> Selected:
    return (
        select(*_columns)
        .select_from(asked)
        .join(Contact.table(), is_value(_contact.linked_id, asked.c.id))
    )


def _locked(asked: FromClause) -> Selected:
    return (
        select(_contact.id)
        .select_from(asked)
        .join(Contact.table(), _contact.id == asked.c.id)
        .where(_contact.linked_id.is_(None), _contact.deleted_at.is_(None))
        # As identify does, and for the same reason.
        .order_by(_contact.id)
        .with_for_update(of=Contact.table())
    )


CONTACTS = Question(_contacts, id=BigInteger)
FOLLOWERS = Question(_followers, id=BigInteger)
LOCKED = Question(_locked, id=BigInteger)


def read(
    connection: Connection,
    values: Iterable[Value],
    *,
    contacts: Collection[int] = (),
    through: Collection[Value] = (),
    ruling: int | None = None,
) -> Part:
    """Return everything that is connected with some values, or contacts.

    Whatever links nobody connects nothing, except what is in `through`. Claims that do not stand
    count for nothing, except those that `ruling` withdraws.
    """
    part = Part()
    part.ruled.nobody = evidence.ruled_nobody(connection)
    ahead, seen = set(values), set[Value]()
    ahead |= _read_contacts(connection, part, contacts)
    while ahead:
        seen |= ahead
        holders = evidence.holders_of(connection, ahead)
        part.holders |= holders
        closed = {v for v in part.ruled.nobody.intersection(ahead) if v not in through}
        tellings = evidence.claims_with(connection, ahead - closed, part.claims, ruling)
        part.claims.update((each.id, each) for each in tellings)
        ahead = {value for each in tellings for value in each.values()}
        # First whole customers: few of the others, which claims remember, are left then.
        ahead |= _read_contacts(connection, part, holders.values())
        remembered = {id_ for each in tellings for id_ in (each.memory.contact, each.memory.other)}
        ahead |= _read_contacts(connection, part, remembered)
        ahead -= seen
    part.ruled.nobody &= seen
    evidence.read_apart(connection, seen, part.ruled)
    return part


def _read_contacts(connection: Connection, part: Part, ids: Iterable[int | None]) -> set[Value]:
    """Read some contacts with all of their customers, and return what they hold."""
    held: set[Value] = set()
    ahead = {id_ for id_ in ids if id_ is not None} - part.contacts.keys()
    while ahead:
        asked = [(id_,) for id_ in ahead]
        found = [Stored(*row) for row in CONTACTS.ask(connection, asked)]
        primaries = {each.linked_id or each.id for each in found if each.ceased_at is None}
        asked = [(id_,) for id_ in primaries]
        found += [Stored(*row) for row in FOLLOWERS.ask(connection, asked)]
        part.contacts.update((each.id, each) for each in found)
        for each in found:
            if each.ceased_at is None:
                held.update(each.values())
        ahead = primaries - part.contacts.keys()
    return held


class Following(NamedTuple):
    """A contact as it follows from the evidence."""

    email: str | None
    phone_number: str | None
    created_at: datetime
    primary: int


@dataclass(slots=True)
class Rebuilt:
    """What follows from the evidence about a part. Contacts yet to be made are numbers from NEW."""

    contacts: dict[int, Following]
    holders: dict[Value, int | None]
    claims: dict[int, tuple[Memory, int | None]]
    """What each claim remembers, and the ruling that holds it."""
    made: int
    """How many contacts are yet to be made."""

    def customers(self) -> list[Cluster]:
        """Return the customers."""
        members: dict[int, list[Member]] = {}
        for number, (email, phone_number, created_at, primary) in self.contacts.items():
            linked_id = None if number == primary else primary
            member = Member(number, linked_id, email, phone_number, created_at)
            members.setdefault(primary, []).append(member)
        return [clusters.in_order(each) for each in members.values()]


def follow(claims: Iterable[Telling], ruled: Ruled) -> Rebuilt:
    """Return what follows from claims: the function, from the first claim on."""
    customers = Customers(ruled)
    marks: dict[int, tuple[Memory, int | None]] = {}
    made: list[Made] = []
    for claim in sorted(claims):
        told = customers.tell(*claim.content, claim.dated_at, claim.dated_at, claim.memory)
        if told is None:
            marks[claim.id] = claim.memory, None
        else:
            marks[claim.id] = told.memory, told.held_by
            made += told.made
    dates = dict(customers.dates.values())
    contacts = {
        number: Following(email, phone_number, dates[number], customers.primary(cluster))
        for number, email, phone_number, cluster in made
    }
    holders: dict[Value, int | None] = dict(customers.identifiers)
    holders |= dict.fromkeys(ruled.nobody)
    return Rebuilt(contacts, holders, marks, customers.next - NEW)


def difference(part: Part, rebuilt: Rebuilt, written: Written | None = None) -> Corrections:
    """Return what stands otherwise than it follows; `written` gives ids to new contacts."""
    corrections = Corrections()
    id_of = written.contact if written else int
    for number, (email, phone_number, created_at, primary) in rebuilt.contacts.items():
        id_, linked_id = id_of(number), None if number == primary else id_of(primary)
        stored = part.contacts.get(number)
        row = Row(id_, email, phone_number, linked_id, created_at)
        if stored is None:
            corrections.added.append(row)
        elif stored != Stored(id_, linked_id, email, phone_number, created_at, None):
            corrections.changed.append(row)
    corrections.ceased = [
        contact.id
        for contact in part.contacts.values()
        if contact.ceased_at is None and contact.id not in rebuilt.contacts
    ]
    for value, holding in rebuilt.holders.items():
        holder = None if holding is None else id_of(holding)
        if value not in part.holders:
            corrections.held.append((value, holder))
        elif part.holders[value] != holder:
            corrections.moved.append((value, holder))
    corrections.dropped = [value for value in part.holders if value not in rebuilt.holders]
    for claim_id, (memory, held_by) in rebuilt.claims.items():
        claim = part.claims[claim_id]
        if (claim.memory, claim.held_by) != (memory, held_by):
            ids = [n if n is None else id_of(n) for n in (memory.contact, memory.other)]
            known = Memory(ids[0], memory.brought, ids[1])
            corrections.remembered.append((claim_id, known, held_by))
    return corrections


def draw(connection: Connection, rebuilt: Rebuilt) -> Written:
    """Return ids for the contacts that are yet to be made."""
    return Written(NEW, writing.draw(connection, "contact", rebuilt.made))


@dataclass(slots=True)
class Locks:
    """The customers to lock before anything is read of them, gathered from try to try."""

    primaries: set[int] = field(default_factory=set)

    def read(
        self,
        connection: Connection,
        values: Collection[Value],
        reading: Callable[[], Part],
        hold: Callable[[], None] = lambda: None,
    ) -> Part:
        """Return what `reading` reads about some values, its customers locked until the end.

        `hold` locks what is no customer's. Raise `LostRace` when more customers are connected with
        them than were locked.
        """
        if database.has_one_writer():
            # Nobody else changes anything meanwhile.
            return reading()
        holders = evidence.holders_of(connection, values).values()
        found = CONTACTS.ask(connection, {(id_,) for id_ in holders if id_ is not None})
        self.primaries.update(row.linked_id or row.id for row in found)
        # All at once and in the order of their ids: two who lock more and more would meet.
        locked = {row.id for row in LOCKED.ask(connection, ((id_,) for id_ in self.primaries))}
        # After the customers, as identify does: the other way round, each waits for the other.
        hold()
        part = reading()
        more = part.primaries() - locked
        if more:
            self.primaries |= more
            raise LostRace("more is connected than was locked")
        return part


def catch_up() -> None:
    """Take in what the version before has told meanwhile, and put its customers right."""
    if not database.read(transcribing.pending):
        return

    locks = Locks()

    def write() -> None:
        with database.transaction() as connection:
            told = transcribing.transcribe(connection)
            values = {value for each in told for value in Identifiers(*each).values()}
            mend_within(connection, values, locks)

    database.retrying(write)


def mend(values: Iterable[Value]) -> None:
    """Put the customers of some values right, where they are otherwise than the evidence says."""
    # What the version before has told meanwhile counts too.
    catch_up()
    named, locks = set(values), Locks()

    def write() -> None:
        with database.transaction() as connection:
            mend_within(connection, named, locks)

    database.retrying(write)


def mend_within(connection: Connection, values: Collection[Value], locks: Locks) -> bool:
    """Do so in a transaction; tell whether anything was to be mended."""
    part = locks.read(connection, values, lambda: read(connection, values))
    rebuilt = follow(part.claims.values(), part.ruled)
    if not difference(part, rebuilt):
        return False
    before = part.customers()
    now = datetime.now(UTC)
    written = draw(connection, rebuilt)
    writing.correct(connection, difference(part, rebuilt, written), now)
    lines = _mended(before, rebuilt.customers(), written)
    told = ((EventKind.CUSTOMER_MENDED, primary, detail) for primary, detail in lines)
    writing.tell(connection, told, "evidence", now)
    return True


def _mended(
    before: list[Cluster], after: list[Cluster], written: Written
) -> Iterable[tuple[int, dict[str, Any]]]:
    found = comparing.changes(before, after)
    if found:
        return comparing.lines(found, written.contact)
    # What was wrong is in no answer: whose an identifier is, or what a claim remembers.
    ids = sorted(each.primary_id for each in after)
    return [(id_, {"before": [id_], "with": id_}) for id_ in ids]
