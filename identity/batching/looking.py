"""What the database knows of a batch, in a few statements. Nothing here writes."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Self

from sqlalchemy import Connection, Text, cast, func, select

from identity import database, evidence
from identity.batching.questions import ALONE, APART, HOLDERS, PAIRS
from identity.deciding import Call, Content, Known, Ruled
from identity.identifiers import Kind, Value, email_value, phone_value
from identity.moments import heard
from identity.rebuilding import Drifted

MOMENT = select(cast(func.pg_current_snapshot(), Text))


class Look(NamedTuple):
    """What is known of a batch."""

    known: Known
    ruled: Ruled
    apart: dict[Value, int]
    """The primary of each value that is kept apart from others."""

    drifted: set[Value]
    """The values about which the tables contradict themselves."""

    moment: str = ""
    """Which changes could be seen, in PostgreSQL's words; empty where nobody asked."""

    def news(self, calls: Sequence[Call]) -> list[Call]:
        """Return the calls that say something new."""
        known, nobody = self.known, self.ruled.nobody
        return [call for call in calls if not known.is_repeat(call, nobody)]

    def sound(self) -> Self:
        """Return this, where the tables do not contradict themselves; raise `Drifted` else."""
        if self.drifted:
            raise Drifted(self.drifted)
        return self

    def leaves(self, call: Call) -> bool:
        """Tell whether anything that a call gives may link somebody."""
        nobody = self.ruled.nobody
        return not nobody or not nobody.issuperset(call.values())

    def repeats(self, calls: Sequence[Call]) -> set[int]:
        """Return the lines of the calls that say nothing new."""
        known, nobody = self.known, self.ruled.nobody
        return {call.line for call in calls if known.is_repeat(call, nobody)}


def look(connection: Connection, calls: Sequence[Call], source: str) -> Look:
    """Return what the database knows of what `calls` say, and what `source` has said."""
    known, ruled = Known(), Ruled()
    drifted: set[Value] = set()
    emails, numbers = {call[0] for call in calls}, {call[1] for call in calls}
    for kind, given in (Kind.EMAIL, emails), (Kind.PHONE, numbers):
        drifted.update(read_holders(connection, kind, given, known, ruled))
    if ruled.nobody:
        drifted |= ruled.nobody - evidence.ruled_nobody(connection)
    apart = _read_apart(connection, known, ruled)
    # What is absent keeps nothing from being on record.
    on_record = {None, *(value.text for value in (*known.holders, *ruled.nobody))}
    contents = {call[:2] for call in calls if call[0] in on_record and call[1] in on_record}
    read_claims(connection, contents, source, known)
    if any(call.reference or call.name for call in calls):
        asked = ((claim,) for claim, _ in known.claims.values())
        rows = evidence.REFERENCES.ask_plainly(connection, asked)
        known.references = {row[:3] for row in rows}
    drifted.update(_contradicted(known, ruled))
    return Look(known, ruled, apart, drifted)


def _contradicted(known: Known, ruled: Ruled) -> Iterator[Value]:
    """Yield the values of what was told, and the tables do not hold."""
    for content in known.pairs - known.held:
        values = [value for value in Call(*content).values() if value not in ruled.nobody]
        if len({known.holders.get(value) for value in values}) > 1:
            yield from values


def read_holders(
    connection: Connection, kind: Kind, given: Iterable[str | None], known: Known, ruled: Ruled
) -> Iterator[Value]:
    """Note whose values are, and yield those of which that cannot be true."""
    asked = ((text,) for text in given if text is not None)
    made = email_value if kind is Kind.EMAIL else phone_value
    moment = heard(connection.dialect)
    holders, oldest, contents = known.holders, known.oldest, known.contents
    for row in HOLDERS[kind].ask_plainly(connection, asked):
        text, contact_id, linked_id, email, phone_number, created_at, began_at = row
        value = made(text)
        if contact_id is None:
            ruled.nobody.add(value)
            continue
        primary_id, since = contact_id, created_at
        if linked_id is not None:
            primary_id, since = linked_id, began_at
        if since is None or (text != email and text != phone_number):
            yield value
            continue
        created = moment(created_at)
        holders[value] = primary_id
        oldest[primary_id] = created if since is created_at else moment(since), primary_id
        contents[email, phone_number] = contact_id, created


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


def read_claims(
    connection: Connection, contents: Collection[Content], source: str, known: Known
) -> None:
    """Note which contents anybody has told, and what of them `source` has."""
    pairs = {content for content in contents if None not in content}
    alone = [content for content in contents if None in content]
    rows = [
        *PAIRS.ask_plainly(connection, pairs),
        *ALONE[Kind.EMAIL].ask_plainly(connection, ((email,) for email, _ in alone if email)),
        *ALONE[Kind.PHONE].ask_plainly(connection, ((number,) for _, number in alone if number)),
    ]
    moment = heard(connection.dialect)
    for id_, email, phone_number, told_by, dated, held_by in rows:
        content = email, phone_number
        known.pairs.add(content)
        if held_by is not None:
            known.held.add(content)
        if told_by == source:
            known.claims[content] = id_, moment(dated)


def look_now(calls: Sequence[Call], source: str) -> Look:
    """Return what is known of `calls` at one moment."""
    with database.snapshot() as connection:
        return look(connection, calls, source)._replace(moment=moment_of(connection))


def moment_of(connection: Connection) -> str:
    """Return which changes a statement sees: the same words, and nothing has changed since.

    Only who changes something counts, so while nobody else does, these stay the same.
    """
    if connection.dialect.name != "postgresql":
        return ""
    return str(connection.scalar(MOMENT))
