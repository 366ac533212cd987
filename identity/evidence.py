"""What was told and what was ruled, as it is on record. Nothing here writes or decides.

Asked about any number of values at once: who has told them, what is kept apart from them, and
which of them link nobody.
"""

import json
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    literal,
    or_,
    select,
    text,
    true,
)

from identity.bulk import Question, Selected
from identity.deciding import Content, Memory, Ruled
from identity.identifiers import KINDS, Kind, Value, referred
from identity.models import Claim, Identifier, KeptApart, Reference, Ruling, Withdrawal
from identity.probing import is_value


class Telling(NamedTuple):
    """A claim, as it is on record."""

    id: int
    """Its place in the order."""
    email: str | None
    phone_number: str | None
    source: str
    told_at: datetime
    dated_at: datetime
    import_id: int | None
    memory: Memory
    held_by: int | None
    stands: bool
    covered: bool
    """Whether the ruling that was asked about withdraws it."""

    @property
    def content(self) -> tuple[str | None, str | None]:
        """The email and the phone number."""
        return self.email, self.phone_number

    def values(self) -> Iterator[Value]:
        """Yield what was told, the email first."""
        if self.email is not None:
            yield Value(Kind.EMAIL, self.email)
        if self.phone_number is not None:
            yield Value(Kind.PHONE, self.phone_number)


_claim = Claim.table().c
_withdrawal = Withdrawal.table().c
_apart = KeptApart.table().c
_ruling = bindparam("ruling", type_=BigInteger)
# A ruling has a row for each of its two values. Locked in different orders by a ruling and by a
# caller, they would wait for each other.
_HELD = _apart.ruling_id, _apart.kind, _apart.value
PHONE_IS_TOLD = text("length(claim.phone_number) > 0")
"""What whoever asks by phone number says, in the words of the index for that."""
_covered = exists().where(_withdrawal.ruling_id == _ruling, _withdrawal.claim_id == _claim.id)
CLAIM_COLUMNS = (
    *(_claim.id, _claim.email, _claim.phone_number, _claim.source, _claim.told_at),
    *(_claim.dated_at, _claim.import_id, _claim.contact_id, _claim.brought),
    *(_claim.other_contact_id, _claim.held_by, _claim.stands, _covered.label("covered")),
)


def _claims_with(column: Any, *chosen: Any) -> Question:
    def build(asked: FromClause) -> Selected:
        return (
            select(*chosen)
            .select_from(asked)
            .join(Claim.table(), is_value(column, asked.c.value))
            .where(or_(_claim.stands, _covered))
            .where(PHONE_IS_TOLD if column is _claim.phone_number else true())
        )

    return Question(build, value=BigInteger if column is _claim.id else Text)


_SAID = {Kind.EMAIL: _claim.email, Kind.PHONE: _claim.phone_number}
CLAIMS = {kind: _claims_with(column, *CLAIM_COLUMNS) for kind, column in _SAID.items()}
PLACES = {kind: _claims_with(column, _claim.id) for kind, column in _SAID.items()}
CLAIMS_BY_PLACE = _claims_with(_claim.id, *CLAIM_COLUMNS)


def telling(row: Sequence[Any]) -> Telling:
    """Return a claim from a row of `CLAIM_COLUMNS`."""
    id_, email, phone_number, source, told_at, dated_at, import_id, *memory = row[:10]
    contact, brought, other = memory
    return Telling(
        *(id_, email, phone_number, source, told_at, dated_at, import_id),
        Memory(contact, brought and KINDS[brought], other),
        *(row[10], bool(row[11]), bool(row[12])),
    )


def claims_with(
    connection: Connection,
    values: Collection[Value],
    known: Container[int] = (),
    ruling: int | None = None,
) -> list[Telling]:
    """Return each claim but the known ones that says one of the values.

    It stands, or `ruling` withdraws it.
    """
    found: dict[int, Telling] = {}
    for kind, question in CLAIMS.items():
        asked = {(value.text,) for value in values if value.kind is kind}
        ids = {row.id for row in PLACES[kind].ask(connection, asked, ruling=ruling)}
        new = {id_ for id_ in ids if id_ not in known and id_ not in found}
        if 2 * len(new) > len(ids):
            rows = question.ask(connection, asked, ruling=ruling)
        else:
            # Nearly all of a customer's claims are found from both of their ends.
            rows = CLAIMS_BY_PLACE.ask(connection, ((id_,) for id_ in new), ruling=ruling)
        found.update((row.id, telling(row)) for row in rows if row.id in new)
    return list(found.values())


_IS_TOLD = select(
    exists().where(
        _claim.email == bindparam("email", type_=Text),
        _claim.phone_number == bindparam("phone_number", type_=Text),
        _claim.stands,
    )
)


def is_told(connection: Connection, content: Content) -> bool:
    """Tell whether anybody has told an email and a phone number together."""
    email, phone_number = content
    told = connection.scalar(_IS_TOLD, {"email": email, "phone_number": phone_number})
    return bool(told)


def _holders(asked: FromClause) -> Selected:
    row = Identifier.table().c
    key = and_(row.kind == asked.c.kind, row.value == asked.c.value)
    return (
        select(row.kind, row.value, row.contact_id).select_from(asked).join(Identifier.table(), key)
    )


def _kept_apart(asked: FromClause) -> Selected:
    key = and_(_apart.kind == asked.c.kind, _apart.value == asked.c.value)
    return (
        select(_apart.kind, _apart.value, _apart.other_kind, _apart.other_value, _apart.ruling_id)
        .select_from(asked)
        .join(KeptApart.table(), key)
    )


def _kept_apart_held(asked: FromClause) -> Selected:
    return _kept_apart(asked).order_by(*_HELD).with_for_update(of=KeptApart.table(), read=True)


def _ruled_out(*, to_change: bool) -> Question:
    row = Identifier.table()

    def build(asked: FromClause) -> Selected:
        return (
            _holders(asked)
            .where(row.c.contact_id.is_(None))
            .with_for_update(of=row, read=not to_change)
        )

    return Question(build, kind=Text, value=Text)


_NOBODY = select(Ruling.what).where(
    Ruling.kind == literal("links_nobody"), Ruling.withdrawn_at.is_(None)
)
HOLDERS = Question(_holders, kind=Text, value=Text)
RULED_OUT = {to_change: _ruled_out(to_change=to_change) for to_change in (False, True)}
KEPT_APART = Question(_kept_apart, kind=Text, value=Text)
KEPT_APART_HELD = Question(_kept_apart_held, kind=Text, value=Text)
ANYTHING_KEPT_APART = select(exists().where(_apart.ruling_id.is_not(None)))


def holders_of(connection: Connection, values: Iterable[Value]) -> dict[Value, int | None]:
    """Return the contact of each value that is known; None for one that links nobody."""
    rows = HOLDERS.ask(connection, ((value.kind.value, value.text) for value in values))
    return {Value(KINDS[kind], text): contact_id for kind, text, contact_id in rows}


def ruled_nobody(connection: Connection) -> set[Value]:
    """Return the values that link nobody, by the rulings that stand."""
    return {referred(json.loads(what)["value"]) for what in connection.scalars(_NOBODY)}


def hold_nobody(
    connection: Connection, values: Iterable[Value], *, to_change: bool = False
) -> None:
    """Let nobody change that some values link nobody, until the transaction ends.

    They are no customer's, so no customer's lock tells whoever relies on it.
    """
    asked = ((value.kind.value, value.text) for value in values)
    for _ in RULED_OUT[to_change].ask(connection, asked):
        pass


def hold_apart(connection: Connection, ruling_id: int) -> None:
    """Wait for whoever relies on what a ruling keeps apart; nobody new may until the end."""
    rows = select(_apart.ruling_id).where(_apart.ruling_id == ruling_id)
    connection.execute(rows.order_by(*_HELD).with_for_update()).all()


def anything_apart(connection: Connection) -> bool:
    """Tell whether anything is kept apart from anything."""
    return bool(connection.scalar(ANYTHING_KEPT_APART))


def read_apart(
    connection: Connection, values: Iterable[Value], ruled: Ruled, *, hold: bool = False
) -> None:
    """Note from what each of the values is kept apart; `hold` keeps that so until the end."""
    # Nearly everywhere nothing is, and there may be thousands of values.
    if not anything_apart(connection):
        return
    asked = ((value.kind.value, value.text) for value in values)
    question = KEPT_APART_HELD if hold else KEPT_APART
    for kind, named, other_kind, other, ruling_id in question.ask(connection, asked):
        ruled.keep_apart(Value(KINDS[kind], named), Value(KINDS[other_kind], other), ruling_id)


def _references(asked: FromClause) -> Selected:
    row = Reference.table().c
    return (
        select(row.claim_id, row.reference, row.name, row.import_id)
        .select_from(asked)
        .join(Reference.table(), row.claim_id == asked.c.id)
    )


REFERENCES = Question(_references, id=BigInteger)


class Named(NamedTuple):
    """What a source calls a record, and the name it has for it."""

    source: str
    reference: str
    name: str


def all_claims() -> Select[*tuple[Any, ...]]:
    """Return the select of all claims in their order, with `ruling` to be bound."""
    return select(*CLAIM_COLUMNS).order_by(_claim.id)
