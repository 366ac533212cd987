"""Values that strangers share: how many people were told of with each."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from networkx.utils import UnionFind
from sqlalchemy import Connection, FromClause, Select, Text, func, select, true

from identity import fillers
from identity.bulk import Question, Selected
from identity.evidence import PHONE_IS_TOLD, holders_of
from identity.identifiers import KINDS, Value
from identity.identifiers import Kind as Of
from identity.models import Claim, Reference
from identity.reviewing.findings import Found, Kind

FEWEST = 3
"""People below which no value is looked at: whatever it looks like, two may well be a couple."""
MOST = 100_000
"""Tellings of one value that are counted: where there are more, it does not matter how many."""
CLOSELY = 2_000
"""Tellings up to which those who are called the same are counted once."""
EXAMPLES = 3

_claim = Claim.table().c
_reference = Reference.table().c
_SAID = {Of.EMAIL: _claim.email, Of.PHONE: _claim.phone_number}


def subject(value: Value) -> str:
    """Return how a finding names a value."""
    return f"{value.kind.value}:{value.text}"


def named(told: str) -> Value:
    """Return the value that a finding names."""
    kind, _, value = told.partition(":")
    return Value(KINDS[kind], value)


def _tellings(kind: Of, value: Any, limit: int) -> Select[*tuple[Any, ...]]:
    """Return the select of what was told with a value: the other one, and a name."""
    own, other = _SAID[kind], _SAID[Of.PHONE if kind is Of.EMAIL else Of.EMAIL]
    name = func.nullif(func.lower(_reference.name), "").label("name")
    return (
        select(other.label("other"), name)
        .select_from(Claim.table().outerjoin(Reference.table(), _reference.claim_id == _claim.id))
        .where(own == value, _claim.stands, _claim.held_by.is_(None))
        .where(PHONE_IS_TOLD if kind is Of.PHONE else true())
        .limit(limit)
    )


def _counting(kind: Of, limit: int) -> Question:
    def build(asked: FromClause) -> Selected:
        told = _tellings(kind, asked.c.value, limit).subquery("told")
        people = func.count(func.coalesce(told.c.name, told.c.other).distinct())
        # One number for each value, so that a value is one look into the index whatever the
        # planner believes of the table.
        return select(asked.c.value, select(people).scalar_subquery().label("people"))

    return Question(build, value=Text)


COUNTS = {limit: {kind: _counting(kind, limit) for kind in Of} for limit in (MOST, CLOSELY)}


def look(
    connection: Connection, values: Collection[Value], many: int, *, most: int = MOST
) -> Iterator[Found]:
    """Yield the values that too many strangers share. `many` is how many are too many."""
    counted: dict[Value, tuple[int, str | None]] = {}
    for kind, question in COUNTS[most].items():
        asked = ((value.text,) for value in values if value.kind is kind)
        for text, people in question.ask(connection, asked):
            if people >= FEWEST and people >= fillers.too_many(Value(kind, text), many):
                reason = fillers.looks_like_filler(Value(kind, text))
                counted[Value(kind, text)] = people, reason
    # What links nobody any more is nobody's trouble.
    holders = holders_of(connection, counted)
    for value, (people, reason) in counted.items():
        if holders.get(value) is not None:
            closely, examples = _closely(connection, value, people)
            if closely >= fillers.too_many(value, many):
                detail = {"reason": reason, "examples": examples, "least": closely >= most}
                yield Found(Kind.FILLER if reason else Kind.SHARED, subject(value), closely, detail)


def check(
    connection: Connection, subjects: Collection[tuple[Kind, str]], many: int, *, most: int = MOST
) -> Iterator[Found]:
    """Yield what some findings are about as it is now."""
    found = {
        (each.kind, each.subject): each
        for each in look(connection, [named(told) for _, told in subjects], many, most=most)
    }
    for kind, told in subjects:
        yield found.get((kind, told)) or Found(kind, told, 0, {})


def _closely(connection: Connection, value: Value, people: int) -> tuple[int, list[str]]:
    """Return how many people it is when those of one name are one, and some of the others."""
    rows = connection.execute(_tellings(value.kind, value.text, CLOSELY)).all()
    others = dict.fromkeys(row.other for row in rows if row.other is not None)
    examples = list(others)[:EXAMPLES]
    if len(rows) == CLOSELY:
        return people, examples
    return _people(rows), examples


def _people(rows: Iterable[Any]) -> int:
    """Count those who share neither a name nor the other value."""
    together = UnionFind()
    for other, name in rows:
        keys = [key for key in (("other", other), ("name", name)) if key[1] is not None]
        if keys:
            together.union(*keys)
    return len(list(together.to_sets()))
