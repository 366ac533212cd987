"""What concerns nobody on record is counted, and comes to what deciding it would come to."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import compress

from hypothesis import given
from hypothesis import strategies as st

from identity.deciding import Call, Known, Ruled, decide
from identity.deciding.newcomers import Newcomers
from identity.deciding.outline import UNDATED, Brought, OnRecord, Outline, number_of
from identity.identifiers import Kind, Value
from identity.models import EventKind

EMAILS = [f"{name}@hillvalley.edu" for name in ("doc", "marty", "jennifer", "biff", "lorraine")]
NUMBERS = [f"+1775555010{number}" for number in range(5)]
VALUES = [Value(Kind.EMAIL, each) for each in EMAILS] + [Value(Kind.PHONE, e) for e in NUMBERS]
NONE: list[str | None] = [None]
NOW = datetime(1985, 10, 26, tzinfo=UTC)
DATES = st.none() | st.integers(1, 28).map(lambda day: datetime(1955, 11, day, tzinfo=UTC))
ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(EMAILS), max_size=2, unique=True),
        st.lists(st.sampled_from(NUMBERS), max_size=2, unique=True),
        DATES,
    ),
    max_size=12,
)
Row = tuple[list[str], list[str], datetime | None]
PAIRS = st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), max_size=2)


def calls_of(rows: Sequence[Row]) -> list[Call]:
    """Return the calls of rows: each email with each number, or the first where nothing links."""
    rows = [
        (emails if numbers else emails[:1], numbers if emails else numbers[:1], dated)
        for emails, numbers, dated in rows
    ]
    return [
        Call(email, number, dated, line)
        for line, (emails, numbers, dated) in enumerate(rows, 2)
        if emails or numbers
        for email in emails or NONE
        for number in numbers or NONE
    ]


def outline_of(calls: Sequence[Call]) -> Outline:
    outline = Outline()
    for call in calls:
        dated = UNDATED if call.dated is None else number_of(call.dated)
        outline.add([call.email], [call.phone_number], [dated], [call.line], [call.name])
    return outline


def decided_of(calls: Sequence[Call], ruled: Ruled) -> Brought:
    decided = decide(calls, Known(), ruled, NOW)
    created = sum(line.kind is EventKind.CONTACT_CREATED for line in decided.lines)
    counts = len(decided.contacts), decided.links, len(decided.claims)
    return Brought(len(decided.news), created, *counts)


@given(ROWS)
def test_what_concerns_nobody_is_counted_as_it_would_be_decided(rows: list[Row]) -> None:
    calls = calls_of(rows)

    concerned, brought = Newcomers(outline_of(calls)).concerned(OnRecord())

    assert not any(concerned)
    assert brought == decided_of(calls, Ruled())


@given(ROWS, st.sets(st.sampled_from(VALUES), max_size=2), PAIRS)
def test_what_rulings_concern_is_decided_and_the_others_counted(
    rows: list[Row], nobody: set[Value], pairs: list[tuple[Value, Value]]
) -> None:
    calls, ruled = calls_of(rows), Ruled(nobody)
    for number, (one, other) in enumerate(pairs, 1):
        if one != other:
            ruled.keep_apart(one, other, number)
    met = [hash(value.text) for value in (*nobody, *ruled.apart)]

    record = OnRecord(ruled=met, nobody=[hash(value.text) for value in nobody])
    concerned, brought = Newcomers(outline_of(calls)).concerned(record)

    decided = decided_of(list(compress(calls, concerned)), ruled)
    whole = decided_of(calls, ruled)
    assert brought.customers + decided.customers == whole.customers
    assert brought.news + decided.news == whole.news
    assert brought.contacts + decided.contacts == whole.contacts
    assert brought.links + decided.links == whole.links
    assert brought.claims + decided.claims == whole.claims


def test_a_value_is_shared_by_those_who_differ() -> None:
    office, home = NUMBERS[:2]
    told = [Call(email, office, line=line) for line, email in enumerate(EMAILS[:3], 2)]
    again = [Call(EMAILS[3], home, line=line) for line in range(5, 9)]
    newcomers = Newcomers(outline_of([*told, *again]))

    assert newcomers.shared(3) == {hash(office)}
    assert [*newcomers.of_rows_with({hash(office)})] == [1, 1, 1, 0, 0, 0, 0]


def test_a_value_is_shared_by_names_that_differ() -> None:
    names = "Emmett Brown", "Marty McFly", "Biff Tannen"
    told = [Call(EMAILS[0], None, line=line, name=name) for line, name in enumerate(names, 2)]

    assert Newcomers(outline_of(told)).shared(3) == {hash(EMAILS[0])}
    assert Newcomers(outline_of(told[:2] * 2)).shared(3) == set()


def test_a_file_without_calls_brings_nothing() -> None:
    newcomers = Newcomers(Outline())

    assert newcomers.concerned(OnRecord()) == (b"", Brought(0, 0, 0, 0, 0))
    assert newcomers.shared(3) == set()
