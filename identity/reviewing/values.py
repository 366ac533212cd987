"""Values that strangers share: how many people were told of with each."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, FromClause, Select, Text, func, select, true

from identity import fillers
from identity.bulk import Question, Selected
from identity.evidence import PHONE_IS_TOLD, holders_of
from identity.explaining import primaries_of
from identity.identifiers import KINDS, Value
from identity.identifiers import Kind as Of
from identity.models import Claim, Reference
from identity.reviewing.findings import Found, Kind

MOST = 100_000
"""Tellings of one value that are counted: where there are more, it does not matter how many."""
CLOSELY = 2_000
"""Tellings of one value that are read, to tell those with a name from those without."""
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
    own, other = _SAID[kind], _SAID[kind.other]
    name = func.nullif(func.lower(_reference.name), "").label("name")
    return (
        select(other.label("other"), name)
        .select_from(Claim.table().outerjoin(Reference.table(), _reference.claim_id == _claim.id))
        .where(own == value, _claim.stands, _claim.held_by.is_(None))
        .where(PHONE_IS_TOLD if kind is Of.PHONE else true())
        .limit(limit)
    )


def _counting(kind: Of, limit: int, *, named: bool) -> Question:
    def build(asked: FromClause) -> Selected:
        told = _tellings(kind, asked.c.value, limit).correlate(asked).subquery("told")
        who = told.c.name if named else func.coalesce(told.c.name, told.c.other)
        # One number for each value, so that a value is one look into the index whatever the
        # planner believes of the table.
        people = select(func.count(who.distinct())).scalar_subquery()
        return select(asked.c.value, people.label("people"))

    return Question(build, value=Text)


COUNTS = {
    (kind, named, limit): _counting(kind, limit, named=named)
    for kind in Of
    for named in (False, True)
    for limit in (MOST, CLOSELY)
}


def suspicious(
    connection: Connection, values: Collection[Value], many: int, most: int
) -> Iterator[tuple[Value, int, int]]:
    """Yield values that too many may share, with how many those are and how many have names.

    At most `most` tellings of each are counted.
    """
    for kind in Of:
        asked = {(value.text,) for value in values if value.kind is kind}
        rows = COUNTS[kind, False, most].ask(connection, asked)
        several = {text: people for text, people in rows if people >= min(fillers.FEW, many)}
        rows = COUNTS[kind, True, most].ask(connection, ((text,) for text in several))
        for text, named in rows:
            value = Value(kind, text)
            if fillers.too_many(value, several[text], named=named, many=many):
                yield value, several[text], named


def look(connection: Connection, values: Collection[Value], many: int) -> Iterator[Found]:
    """Yield the values that too many strangers share; `many` is as `fillers` has it."""
    found = list(suspicious(connection, values, many, MOST))
    # What links nobody any more is nobody's trouble.
    holders = holders_of(connection, (value for value, *_ in found))
    for value, strangers, named in found:
        if holders.get(value) is None:
            continue
        strangers, named, examples = _closely(connection, value, strangers, named)
        if fillers.too_many(value, strangers, named=named, many=many):
            reason = fillers.looks_like_filler(value)
            detail = {"reason": reason, "named": named, "examples": examples}
            yield Found(Kind.FILLER if reason else Kind.SHARED, subject(value), strangers, detail)


def check(
    connection: Connection, subjects: Collection[tuple[Kind, str]], many: int
) -> Iterator[Found]:
    """Yield what some findings are about as it is now."""
    found = {
        (each.kind, each.subject): each
        for each in look(connection, [named(told) for _, told in subjects], many)
    }
    for kind, told in subjects:
        yield found.get((kind, told)) or Found(kind, told, 0, {})


def glance(connection: Connection, subjects: Collection[str], many: int) -> dict[str, int]:
    """Return which values still link too many, and whose they are, without counting all."""
    shared = suspicious(connection, [named(told) for told in subjects], many, CLOSELY)
    primaries = primaries_of(connection, {value for value, *_ in shared})
    return {subject(value): primary_id for value, primary_id in primaries.items()}


def _closely(
    connection: Connection, value: Value, strangers: int, with_names: int
) -> tuple[int, int, list[str]]:
    """Return how many people it is, how many of them have names, and some of the other values.

    Of whoever was told of with a name and without, the name counts.
    """
    rows = connection.execute(_tellings(value.kind, value.text, CLOSELY)).all()
    others = {row.other for row in rows if row.other is not None}
    examples = sorted(others)[:EXAMPLES]
    if len(rows) == CLOSELY:
        return strangers, with_names, examples
    names = {row.name for row in rows if row.name is not None}
    named_too = {row.other for row in rows if row.name is not None}
    return len(names) + len(others - named_too), len(names), examples
