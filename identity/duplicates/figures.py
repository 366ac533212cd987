"""What is on record, in figures, as it is kept and shown: records, people, emails and sources."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from identity import database
from identity.duplicates import records
from identity.duplicates.records import PAIR, SHARED, SOURCE, SPREAD

SOURCES, PAIRS = 100, 50
"""Sources that are told of, those with the most records; and pairs, with the most people."""
LARGEST = 5
"""From how many on people with that many records are counted together."""


class _Row(NamedTuple):
    about: str
    source: str | None
    other: str | None
    numbers: Sequence[int]


def behind(told: Mapping[str, Any], *of: str) -> Sequence[int]:
    """Return the customers behind a figure of a report, the first ones; none where none are."""
    found = (each["customers"] for each in told["lists"] if each["of"] == list(of))
    return next(found, ())


@database.unhurried()
def count() -> dict[str, Any]:
    """Count everything that is on record, at one moment. Raise `Unavailable`."""
    with database.snapshot() as connection:
        if connection.dialect.name == "postgresql":
            # It would be compiled first, for longer than it takes.
            connection.exec_driver_sql("SET LOCAL jit = off")
        told = list(_rows(connection, records.RECORDS))
        emails = list(_rows(connection, records.EMAILS))
    shown = _about_sources(told)
    return {
        "spread": _spread(told),
        "emails": _spread(emails),
        **shown,
        "lists": [
            {"of": [*of], "customers": customers}
            for of, customers in (_behind(told) | _behind(emails)).items()
            if _is_shown(of, shown)
        ],
    }


def _rows(connection: Connection, statement: Any) -> Iterator[_Row]:
    for row in records.read(connection, statement):
        # PostgreSQL has sums as decimals.
        yield _Row(row[0], row[1], row[2], list(map(int, row[3:])))


def _spread(rows: Iterable[_Row]) -> dict[str, Any]:
    """Return how many there are of how many people, and how many people have how many."""
    spread = {row.numbers[0]: row.numbers[1] for row in rows if row.about == SPREAD}
    exact = {number: people for number, people in spread.items() if number < LARGEST}
    more = sum(people for number, people in spread.items() if number >= LARGEST)
    return {
        "many": sum(number * people for number, people in spread.items()),
        "people": sum(spread.values()),
        "several": sum(people for number, people in spread.items() if number > 1),
        "spread": sorted(exact.items()) + ([(LARGEST, more)] if more else []),
        "most": max(spread, default=0),
    }


def _about_sources(rows: Iterable[_Row]) -> dict[str, Any]:
    sources: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    for row in rows:
        if row.about == SOURCE:
            many, people, new, emails, addressed = row.numbers
            sources.append(
                {"source": row.source, "records": many, "people": people}
                | {"within": many - people, "known": many - new}
                | {"emails": emails, "twice": emails - addressed}
            )
        elif row.about == PAIR:
            pairs.append({"one": row.source, "other": row.other, "people": row.numbers[0]})
    sources.sort(key=lambda each: (-each["records"], each["source"]))
    pairs.sort(key=lambda each: (-each["people"], each["one"], each["other"]))
    return {
        "sources": sources[:SOURCES],
        "more_sources": len(sources[SOURCES:]),
        "pairs": pairs[:PAIRS],
        "more_pairs": len(pairs[PAIRS:]),
    }


def _behind(rows: Iterable[_Row]) -> dict[tuple[str, ...], list[int]]:
    """Return the customers behind figures, in their order."""
    placed: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for about, source, other, (customer, place, *_) in rows:
        if about not in (SPREAD, SOURCE, PAIR):
            of = tuple(filter(None, (about, source, other)))
            placed.setdefault(of, []).append((place, customer))
    return {of: [customer for _, customer in sorted(found)] for of, found in placed.items()}


def _is_shown(of: Sequence[str], shown: Mapping[str, Any]) -> bool:
    about, *sources = of
    if about == SHARED:
        return any([each["one"], each["other"]] == sources for each in shown["pairs"])
    return not sources or any([each["source"]] == sources for each in shown["sources"])
