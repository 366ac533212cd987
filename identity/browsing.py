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

from sqlalchemy import Connection, Select, and_, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import aliased

from identity.models import Contact, Event, EventKind

PAGE = 25


class Order(StrEnum):
    """What comes first."""

    NEWEST = "newest"
    ACTIVE = "active"
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
    """The id to go on after; None on the last page."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of everything."""

    customers: int
    contacts: int
    merges: int


LIVE = Contact.deleted_at.is_(None)
"""Whoever ceased is in no list and not counted."""
FIGURES = select(
    select(func.count()).where(LIVE).scalar_subquery(),
    select(func.count()).where(Contact.linked_id.is_not(None), LIVE).scalar_subquery(),
    select(func.count()).where(Event.kind == EventKind.CLUSTERS_MERGED.value).scalar_subquery(),
)


def figures(connection: Connection) -> Figures:
    """Return the counts of customers, contacts and merges, in one statement."""
    contacts, secondaries, merges = connection.execute(FIGURES).one()
    return Figures(contacts - secondaries, contacts, merges)


def customers(connection: Connection, order: Order, *, after: int | None = None) -> Page:
    """Return a page of customers, beginning after the customer (or contact) `after`."""
    chosen = {
        Order.NEWEST: _newest,
        Order.ACTIVE: _most_active,
        Order.LARGEST: _largest,
    }[order](after)
    rows = connection.execute(chosen.limit(PAGE + 1)).all()
    found = summaries(connection, [row.primary_id for row in rows[:PAGE]])
    return Page(found, rows[PAGE - 1].mark if len(rows) > PAGE else None)


def _newest(after: int | None) -> Select[*tuple[Any, ...]]:
    chosen = (
        select(Contact.id.label("primary_id"), Contact.id.label("mark"))
        .where(Contact.linked_id.is_(None), LIVE)
        .order_by(Contact.created_at.desc(), Contact.id.desc())
    )
    return chosen if after is None else chosen.where(_older_than(after))


def _most_active(after: int | None) -> Select[*tuple[Any, ...]]:
    newer = aliased(Contact)
    primary_id = func.coalesce(Contact.linked_id, Contact.id)
    chosen = (
        select(primary_id.label("primary_id"), Contact.id.label("mark"))
        # A customer stands where the newest of its contacts does. The primary is the oldest, so
        # only secondaries can be newer.
        .where(
            ~exists().where(
                newer.linked_id == primary_id,
                newer.deleted_at.is_(None),
                tuple_(newer.created_at, newer.id) > tuple_(Contact.created_at, Contact.id),
            ),
            LIVE,
        )
        .order_by(Contact.created_at.desc(), Contact.id.desc())
    )
    return chosen if after is None else chosen.where(_older_than(after))


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


def summaries(connection: Connection, primary_ids: Sequence[int]) -> list[Summary]:
    """Return those customers, in that order; whoever is none any more is left out."""
    secondary = aliased(Contact)
    rows = connection.execute(
        select(
            Contact.id,
            Contact.email,
            Contact.phone_number,
            Contact.created_at,
            func.count(secondary.id),
            func.max(secondary.created_at),
        )
        .outerjoin(
            secondary, and_(secondary.linked_id == Contact.id, secondary.deleted_at.is_(None))
        )
        .where(Contact.id.in_(primary_ids), LIVE)
        .group_by(Contact.id)
    )
    found = {
        id_: Summary(id_, email, phone_number, created_at, secondaries + 1, last or created_at)
        for id_, email, phone_number, created_at, secondaries, last in rows
    }
    return [found[id_] for id_ in primary_ids if id_ in found]
