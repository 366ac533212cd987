"""What an erasure reaches: which identifiers, which claims, and what follows without them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from identity import evidence, rebuilding
from identity.comparing import Regrouped, changes
from identity.deciding import Ruled
from identity.errors import Conflict, Gone, InvalidInput, LostRace, NotFound
from identity.evidence import Telling, telling
from identity.explaining import now
from identity.identifiers import Kind, Value
from identity.portraying.membership import all_of, head
from identity.rebuilding import Locks, Part, Rebuilt
from identity.recording import TOLD

NOBODY = (
    "By a ruling it links nobody, so it is no person's, and what others told beside it would go "
    "too. Undo the ruling first."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be forgotten: some identifiers, or all of a customer."""

    values: frozenset[Value] = frozenset()
    customer: int | None = None
    """The id of one of its contacts."""

    def __post_init__(self) -> None:
        """Hold that somebody is named, in one way."""
        if bool(self.values) == (self.customer is not None):
            raise InvalidInput("An erasure names identifiers, or a customer.")


@dataclass(frozen=True, slots=True)
class Reach:
    """What goes, and what is left of the customers that it is of."""

    values: frozenset[Value]
    """The identifiers named, and those that are told together with them and never else."""
    claims: dict[int, Telling]
    """All that say one of them, withdrawn or not."""
    part: Part
    rebuilt: Rebuilt

    def on_record(self) -> set[Value]:
        """Return those of the identifiers that anybody has, or ever told of."""
        told = {value for claim in self.claims.values() for value in claim.values()}
        return {value for value in self.values if value in told or value in self.part.holders}

    def changes(self) -> list[Regrouped]:
        """Return how the customers change."""
        return changes(self.part.customers(), self.rebuilt.customers())

    def ceasing(self) -> Iterator[tuple[int, int]]:
        """Yield the contacts that go, each with the primary that it had, or itself."""
        stored, made = self.part.contacts, set[int | None]()
        for contact in stored.values():
            if contact.ceased_at is None and contact.id not in self.rebuilt.contacts:
                yield contact.id, contact.linked_id or contact.id
        for claim in self.claims.values():
            made |= {claim.memory.contact, claim.memory.other}
        for id_ in made:
            # Ceased before, by a ruling: no claim remembers it any more either.
            if id_ is not None and (id_ not in stored or stored[id_].ceased_at is not None):
                yield id_, id_


def reach(connection: Connection, wanted: Wanted, locks: Locks | None = None) -> Reach:
    """Return what an erasure reaches.

    With `locks`, all of it stays as it is until the transaction ends. Raise `LostRace` when more
    is connected than was locked, `NotFound` or `Gone` when there is no such customer.
    """
    values, claims = _gathered(connection, wanted)
    beside = values.union(*(claim.values() for claim in claims.values()))

    def reading() -> Part:
        return rebuilding.read(connection, beside)

    def hold() -> None:
        evidence.hold_nobody(connection, sorted(values), to_change=True)
        for ruling_id in _keeping_apart(connection, values):
            evidence.hold_apart(connection, ruling_id)

    part = locks.read(connection, beside, reading, hold) if locks else reading()
    if locks and _gathered(connection, wanted) != (values, claims):
        raise LostRace("somebody told more of them meanwhile")
    left = (claim for id_, claim in part.claims.items() if id_ not in claims)
    rebuilt = rebuilding.follow(left, _ruled(part.ruled, values))
    return Reach(frozenset(values), claims, part, rebuilt)


def values_of(connection: Connection, wanted: Wanted) -> set[Value]:
    """Return the identifiers that would go, and read nothing of what follows. Raise as above."""
    values, _ = _gathered(connection, wanted)
    return values


def _gathered(connection: Connection, wanted: Wanted) -> tuple[set[Value], dict[int, Telling]]:
    named = set(wanted.values or _values_of(connection, wanted.customer or 0))
    claims = claims_of(connection, named)
    nobody = evidence.ruled_nobody(connection)
    if named & nobody:
        raise Conflict(NOBODY)
    others = {value for claim in claims.values() for value in claim.values()} - named
    # What is nobody's is not theirs either.
    others -= nobody
    elsewhere = claims_of(connection, others).items() - claims.items() if others else ()
    told_elsewhere = {value for _, claim in elsewhere for value in claim.values()}
    return named | (others - told_elsewhere), claims


def _values_of(connection: Connection, contact_id: int) -> Iterator[Value]:
    found = head(connection, contact_id)
    if found is None:
        left = now(connection, contact_id)
        if left is None:
            raise NotFound(f"There is no contact {contact_id}.")
        raise Gone(f"Contact {contact_id} ceased.", left)
    for member in all_of(connection, found[0].id):
        for kind, text in ((Kind.EMAIL, member.email), (Kind.PHONE, member.phone_number)):
            if text is not None:
                yield Value(kind, text)


def claims_of(connection: Connection, values: Collection[Value]) -> dict[int, Telling]:
    """Return all claims that say one of some values, withdrawn or not."""
    found: dict[int, Telling] = {}
    for kind, question in TOLD.items():
        asked = ((value.text,) for value in values if value.kind is kind)
        for row in question.ask(connection, asked, ruling=None):
            found[row.id] = telling(row)
    return found


def _keeping_apart(connection: Connection, values: Iterable[Value]) -> list[int]:
    if not evidence.anything_apart(connection):
        return []
    asked = ((value.kind.value, value.text) for value in values)
    return sorted({row.ruling_id for row in evidence.KEPT_APART.ask(connection, asked)})


def _ruled(before: Ruled, gone: Collection[Value]) -> Ruled:
    """Return what is ruled when nothing is about those that go."""
    apart: dict[Value, Any] = {}
    for value, others in before.apart.items():
        left = {other: ruling for other, ruling in others.items() if other not in gone}
        if left and value not in gone:
            apart[value] = left
    return Ruled(before.nobody.difference(gone), apart)
