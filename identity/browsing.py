"""The catalogue: customers by the page, sorted, and how many there are.

Every question is one or two statements, however many customers there are, and a page begins
where the last one ended (not at a number of rows to skip, which the database would have to
count off each time).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from identity import ledger
from identity.bulk import Question, Selected
from identity.models import Contact, Event, EventKind

PAGE = 25
CHUNK, CHUNKS = 1_000, 50
"""Lines of the ledger that are read at once, and how often for a page: of one customer there may
be thousands in a row."""


class Order(StrEnum):
    """What comes first."""

    NEWEST = "newest"
    ACTIVE = "active"
    """By the newest line of the ledger, whatever it tells: merges and rulings count."""
    LARGEST = "largest"
    """Customers of one contact are left out: this is where wrong merges are looked for."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A customer in a list."""

    primary_id: int
    email: str | None
    """The primary's, and so is the phone number."""
    phone_number: str | None
    created_at: datetime
    contacts: int
    last_activity_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some customers, and where the next page begins."""

    customers: list[Summary]
    after: int | None
    """The mark to go on after; None on the last page."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of everything."""

    customers: int
    contacts: int
    merges: int


_event = Event.table().c
LINES = (
    select(_event.id, _event.primary_id)
    .where(_event.primary_id.is_not(None))
    .order_by(_event.id.desc())
)
LIVE = Contact.deleted_at.is_(None)
"""Whoever ceased is in no list and not counted."""
MERGES = select(func.count()).where(Event.kind == EventKind.CLUSTERS_MERGED.value)
# All contacts are read, for nothing else tells who ceased; and so only once.
FIGURES = select(
    func.count(Contact.id), func.count(Contact.linked_id), MERGES.scalar_subquery()
).where(LIVE)


def figures(connection: Connection) -> Figures:
    """Return the counts of customers, contacts and merges, in one statement."""
    contacts, secondaries, merges = connection.execute(FIGURES).one()
    return Figures(contacts - secondaries, contacts, merges)


def customers(connection: Connection, order: Order, *, after: int | None = None) -> Page:
    """Return a page of customers, beginning after the mark at which the last one ended."""
    if order is Order.ACTIVE:
        rows, ahead = _most_active(connection, after)
    else:
        chosen = {Order.NEWEST: _newest, Order.LARGEST: _largest}[order](after)
        rows = [(id_, mark) for id_, mark in connection.execute(chosen.limit(PAGE + 1))]
        ahead = None
    found = summaries(connection, [primary_id for primary_id, _ in rows[:PAGE]])
    return Page(found, rows[PAGE - 1][1] if len(rows) > PAGE else ahead)


def _newest(after: int | None) -> Select[*tuple[Any, ...]]:
    chosen = (
        select(Contact.id.label("primary_id"), Contact.id.label("mark"))
        .where(Contact.linked_id.is_(None), LIVE)
        .order_by(Contact.created_at.desc(), Contact.id.desc())
    )
    return chosen if after is None else chosen.where(_older_than(after))


def _most_active(
    connection: Connection, after: int | None
) -> tuple[list[tuple[int, int]], int | None]:
    """Return primaries, each with the newest line of the ledger about it, the newest first.

    And where to go on when so much was told of them that these are not all for a page.
    """
    found: list[tuple[int, int]] = []
    for _ in range(CHUNKS):
        chosen = LINES if after is None else LINES.where(_event.id < after)
        lines = connection.execute(chosen.limit(CHUNK)).all()
        told: dict[int, int] = {}
        for id_, primary_id in lines:
            told.setdefault(primary_id, id_)
        newest = ledger.last_lines(connection, told)
        # Older lines of a customer stand where another page begins, or has begun.
        found += [pair for pair in told.items() if newest.get(pair[0], (None,))[0] == pair[1]]
        if len(lines) < CHUNK or len(found) > PAGE:
            return found, None
        after = lines[-1].id
    return found, after


def _largest(after: int | None) -> Select[*tuple[Any, ...]]:
    size = func.count()
    chosen = (
        select(Contact.linked_id.label("primary_id"), Contact.linked_id.label("mark"))
        .where(Contact.linked_id.is_not(None), LIVE)
        .group_by(Contact.linked_id)
        .order_by(size.desc(), Contact.linked_id.desc())
    )
    if after is None:
        return chosen
    mark = aliased(Contact)
    followers = mark.linked_id == after, mark.deleted_at.is_(None)
    marks = select(func.count()).where(*followers).scalar_subquery()
    return chosen.having(or_(size < marks, and_(size == marks, Contact.linked_id < after)))


def _older_than(contact_id: int) -> Any:
    mark = aliased(Contact)
    moment = select(mark.created_at).where(mark.id == contact_id).scalar_subquery()
    return tuple_(Contact.created_at, Contact.id) < tuple_(moment, literal(contact_id))


def _summaries(asked: FromClause) -> Selected:
    # A number of its own, so that it is one look into an index: joined and grouped, a database that
    # knows nothing of its tables yet reads all contacts.
    secondary = aliased(Contact)
    of_it = secondary.linked_id == asked.c.id, secondary.deleted_at.is_(None)
    return (
        select(
            *(Contact.id, Contact.email, Contact.phone_number, Contact.created_at),
            select(func.count()).where(*of_it).scalar_subquery(),
        )
        .select_from(asked)
        .join(Contact, Contact.id == asked.c.id)
        .where(LIVE)
    )


SUMMARIES = Question(_summaries, id=BigInteger)


def summaries(connection: Connection, primary_ids: Sequence[int]) -> list[Summary]:
    """Return those customers, in that order; whoever is none any more is left out."""
    rows = SUMMARIES.ask(connection, ((id_,) for id_ in primary_ids))
    newest = ledger.last_lines(connection, primary_ids)
    found = {
        id_: Summary(
            *(id_, email, phone_number, created_at, secondaries + 1),
            # Who was loaded into the table is told of in no line.
            newest[id_][1] if id_ in newest else created_at,
        )
        for id_, email, phone_number, created_at, secondaries in rows
    }
    return [found[id_] for id_ in primary_ids if id_ in found]
