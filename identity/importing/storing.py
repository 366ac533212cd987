"""Batches in the database: what is known of one, and the transaction that takes it in."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, FromClause, Text, and_, func, select
from sqlalchemy.orm import aliased

from identity import database, evidence, rebuilding, writing
from identity.bulk import Question, Selected
from identity.deciding import Call, Content, Decided, Known, Ruled, decide
from identity.errors import Contended, LostRace
from identity.identifiers import Kind, Value
from identity.models import Claim, Contact, Identifier, KeptApart
from identity.rebuilding import LOCKED
from identity.writing import Teller, Written

TRIES = 3
"""A batch that lost this often is better divided than tried again."""

_holder = aliased(Contact, name="holder")
_primary = aliased(Contact, name="primary")


def _holders_of(kind: Kind) -> Question:
    def build(asked: FromClause) -> Selected:
        holds = and_(_holder.id == Identifier.contact_id, _holder.deleted_at.is_(None))
        # Always the kind, in words that need the value first: else SQLite would begin with all
        # identifiers of that kind.
        named = func.coalesce(kind.value, asked.c.value)
        return (
            select(
                *(Identifier.value, Identifier.contact_id, _primary.id, _primary.created_at),
                and_(
                    _primary.id.is_not(None),
                    _primary.linked_id.is_(None),
                    _primary.deleted_at.is_(None),
                ),
                *(_holder.id, _holder.email, _holder.phone_number, _holder.created_at),
            )
            .select_from(asked)
            .join(
                Identifier,
                and_(Identifier.kind == named, Identifier.value == asked.c.value),
            )
            .outerjoin(_holder, holds)
            .outerjoin(_primary, _primary.id == func.coalesce(_holder.linked_id, _holder.id))
        )

    return Question(build, value=Text)


HOLDERS = {kind: _holders_of(kind) for kind in Kind}


def _claims(*columns: str) -> Question:
    """Return the question after the claims that say exactly these columns."""

    def build(asked: FromClause) -> Selected:
        exactly = [
            getattr(Claim, name) == asked.c[name]
            if name in columns
            else getattr(Claim, name).is_(None)
            for name in ("email", "phone_number")
        ]
        return (
            select(
                *(Claim.id, Claim.email, Claim.phone_number),
                *(Claim.source, Claim.dated_at, Claim.held_by),
            )
            .select_from(asked)
            .join(Claim, and_(*exactly))
            .where(Claim.stands)
        )

    return Question(build, **dict.fromkeys(columns, Text))


PAIRS = _claims("email", "phone_number")
ALONE = {Kind.EMAIL: _claims("email"), Kind.PHONE: _claims("phone_number")}

_apart_holder = aliased(Contact, name="apart_holder")
APART = (
    select(
        *(KeptApart.kind, KeptApart.value, KeptApart.other_kind, KeptApart.other_value),
        *(KeptApart.ruling_id, func.coalesce(_apart_holder.linked_id, _apart_holder.id)),
    )
    .outerjoin(
        Identifier,
        and_(Identifier.kind == KeptApart.kind, Identifier.value == KeptApart.value),
    )
    .outerjoin(_apart_holder, _apart_holder.id == Identifier.contact_id)
)
"""All that is kept apart, and whose it is."""


class Drifted(LostRace):
    """The tables are otherwise than the evidence about some values, and are to be mended first."""

    def __init__(self, values: set[Value]) -> None:
        super().__init__("the tables are otherwise than the evidence")
        self.values = values


class Look(NamedTuple):
    """What is known of a batch."""

    known: Known
    ruled: Ruled
    apart: dict[Value, int]
    """The primary of each value that is kept apart from others."""

    drifted: set[Value]
    """The values about which the tables contradict themselves."""

    def news(self, calls: Sequence[Call]) -> list[Call]:
        """Return the calls that say something new."""
        known, nobody = self.known, self.ruled.nobody
        return [call for call in calls if not known.is_repeat(call, nobody)]

    def repeats(self, calls: Sequence[Call]) -> set[int]:
        """Return the lines of the calls that say nothing new."""
        known, nobody = self.known, self.ruled.nobody
        return {call.line for call in calls if known.is_repeat(call, nobody)}


def look(connection: Connection, calls: Sequence[Call], source: str) -> Look:
    """Return what the database knows of what `calls` say, and what `source` has said."""
    known, ruled = Known(), Ruled()
    given = {value for call in calls for value in call.values()}
    drifted: set[Value] = set()
    for kind in Kind:
        drifted.update(_read_holders(connection, kind, given, known, ruled))
    if ruled.nobody:
        drifted |= ruled.nobody - evidence.ruled_nobody(connection)
    apart = _read_apart(connection, known, ruled)
    on_record = known.holders.keys() | ruled.nobody
    contents = {call.content for call in calls if all(v in on_record for v in call.values())}
    _read_claims(connection, contents, source, known)
    if any(call.reference or call.name for call in calls):
        asked = ((claim,) for claim, _ in known.claims.values())
        rows = evidence.REFERENCES.ask(connection, asked)
        known.references = {(row.claim_id, row.reference, row.name) for row in rows}
    drifted.update(_contradicted(calls, known, ruled))
    return Look(known, ruled, apart, drifted)


def _contradicted(calls: Sequence[Call], known: Known, ruled: Ruled) -> Iterator[Value]:
    """Yield the values of what was told, and the tables do not hold."""
    for call in calls:
        if call.content in known.pairs and call.content not in known.held:
            values = [value for value in call.values() if value not in ruled.nobody]
            if len({known.holders.get(value) for value in values}) > 1:
                yield from values


def _read_holders(
    connection: Connection, kind: Kind, given: Iterable[Value], known: Known, ruled: Ruled
) -> Iterator[Value]:
    """Note whose values are, and yield those of which that cannot be true."""
    asked = ((value.text,) for value in given if value.kind is kind)
    for row in HOLDERS[kind].ask(connection, asked):
        text, contact_id, primary_id, oldest, stands, *holder = row
        value = Value(kind, text)
        if contact_id is None:
            ruled.nobody.add(value)
        elif not stands or text not in holder:
            yield value
        else:
            id_, email, phone_number, created_at = holder
            known.holders[value] = primary_id
            known.oldest[primary_id] = oldest, primary_id
            known.contents[email, phone_number] = id_, created_at


def _read_apart(connection: Connection, known: Known, ruled: Ruled) -> dict[Value, int]:
    apart: dict[Value, int] = {}
    for kind, text, other_kind, other_text, ruling_id, primary_id in connection.execute(APART):
        value = Value(Kind(kind), text)
        ruled.keep_apart(value, Value(Kind(other_kind), other_text), ruling_id)
        if primary_id is not None:
            apart[value] = primary_id
            if primary_id in known.oldest:
                known.concerned.setdefault(primary_id, set()).add(value)
    return apart


def _read_claims(
    connection: Connection, contents: Collection[Content], source: str, known: Known
) -> None:
    pairs = {content for content in contents if None not in content}
    alone = contents - pairs  # type: ignore[operator]
    rows = [
        *PAIRS.ask(connection, pairs),
        *ALONE[Kind.EMAIL].ask(connection, ((email,) for email, _ in alone if email)),
        *ALONE[Kind.PHONE].ask(connection, ((number,) for _, number in alone if number)),
    ]
    for id_, email, phone_number, told_by, dated, held_by in rows:
        content = email, phone_number
        known.pairs.add(content)
        if held_by is not None:
            known.held.add(content)
        if told_by == source:
            known.claims[content] = id_, dated


def look_now(calls: Sequence[Call], source: str) -> Look:
    """Return what is known of `calls` at one moment."""
    with database.snapshot() as connection:
        return look(connection, calls, source)


def take(calls: Sequence[Call], source: str, import_id: int) -> tuple[Decided, Written]:
    """Write what `calls` bring, in one transaction, and return it with the ids that it was given.

    Raise `Unavailable` when the database cannot be reached or too many of the customers
    concerned kept being changed by others; then nothing was written.
    """

    def write() -> tuple[Decided, Written]:
        return _take(calls, source, import_id)

    try:
        return database.retrying(write, tries=TRIES)
    except Contended as contended:
        drifted = contended.__cause__
        if isinstance(drifted, Drifted):
            rebuilding.mend(drifted.values)
            return database.retrying(write, tries=TRIES)
        if len(calls) > 1:
            raise
    # A race that a single call keeps losing may be lost to rows that contradict the evidence.
    rebuilding.mend({value for call in calls for value in call.values()})
    return database.retrying(write)


def _take(calls: Sequence[Call], source: str, import_id: int) -> tuple[Decided, Written]:
    if database.has_one_writer():
        # Nobody else changes anything meanwhile, so there is nothing to lock and read again.
        with database.transaction() as connection:
            found = _sound(look(connection, calls, source))
            teller = Teller(source, _now(), import_id)
            return _with_repeats(_write(connection, found, found.news(calls), teller), found, calls)
    found = _sound(look_now(calls, source))
    news = found.news(calls)
    if not news:
        return Decided(), Written(0, ())
    with database.transaction() as connection:
        locked = _lock(connection, found, news, source)
        written = _write(connection, locked, news, Teller(source, _now(), import_id))
        return _with_repeats(written, found, calls)


def _with_repeats(
    done: tuple[Decided, Written], found: Look, calls: Sequence[Call]
) -> tuple[Decided, Written]:
    decided, _ = done
    if decided.empty:
        # Of a row that says one thing again, something is left, whatever became of the other.
        decided.told.update(found.repeats(calls))
    return done


def _sound(found: Look) -> Look:
    if found.drifted:
        raise Drifted(found.drifted)
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def _write(
    connection: Connection, found: Look, news: Sequence[Call], teller: Teller
) -> tuple[Decided, Written]:
    decided = decide(news, found.known, found.ruled, teller.now)
    return decided, writing.write(connection, decided, teller)


def _lock(connection: Connection, found: Look, calls: Sequence[Call], source: str) -> Look:
    """Lock the customers of `calls` and return what is known of them now."""
    values = {value for call in calls for value in call.values()}
    before = {found.known.holders[v] for v in values if v in found.known.holders}
    locked = {row.id for row in LOCKED.ask(connection, ((id_,) for id_ in before))}
    if found.ruled.nobody:
        evidence.hold_nobody(connection, found.ruled.nobody)
    # What nobody had brought yet is not asked for again: the key of `identifier` answers that.
    on_record = found.known.holders.keys() | found.ruled.nobody
    again = look(connection, [_only(call, on_record) for call in calls], source)
    if not set(again.known.oldest) <= locked:
        raise LostRace("another call merged some of these customers first")
    return again


def _only(call: Call, on_record: Collection[Value]) -> Call:
    """Return the part of a call that is on record."""
    here = {value.kind: value.text for value in call.values() if value in on_record}
    return call._replace(email=here.get(Kind.EMAIL), phone_number=here.get(Kind.PHONE))
