"""The activity: what was decided, newest first, with an import as one line, whatever it brought.

An import stands where it began. Lines and imports are two lists with an order of their own each, so
a page remembers where both of them ended.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from identity import events, ledger
from identity.database import UtcDateTime
from identity.events import Entry
from identity.ledger import IMPORTS
from identity.models import LARGEST_ID, Event, EventKind, Import

ALWAYS = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Imported:
    """One import, as a line."""

    id: int
    file_name: str
    given_by: str
    feed: str | None
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]

    @property
    def source(self) -> str:
        """Whose lines of the ledger it stands for."""
        return f"{IMPORTS}{self.id}"


Line = Entry | Imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to see; None for all there is."""

    kind: EventKind | None = None
    source: str | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page ended: the last line of the ledger that it had, and the last import."""

    event_id: int = LARGEST_ID
    import_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the activity."""

    lines: list[Line]
    after: Mark | None
    """Where the next page begins; None on the last one."""


def page(connection: Connection, wanted: Wanted, after: Mark, shown: int) -> Page:
    """Return a page, in two statements; in four when it is of one day."""
    since, until = _bounds(wanted.day)
    first, end = 0, after.event_id
    if wanted.day is not None:
        first = ledger.first_since(connection, since)
        end = min(end, ledger.first_since(connection, until))
    told = events.latest(
        connection, shown + 1, kind=wanted.kind, source=wanted.source, first=first, before=end
    )
    begun = _imports(connection, wanted, after, shown + 1)
    found = _merged(told, begun, shown + 1)
    return Page(found[:shown], _end(found[:shown], after) if len(found) > shown else None)


def sources(connection: Connection) -> list[str]:
    """Return who told or decided anything, single imports apart, in two statements."""
    begun = Import.started_at.is_not(None)
    named = [select(column).where(begun).distinct() for column in (Import.feed, Import.given_by)]
    return sorted(
        {*ledger.sources(connection), *filter(None, connection.scalars(union_all(*named)))}
    )


def _bounds(day: date | None) -> tuple[datetime, datetime]:
    if day is None:
        return ALWAYS
    since = datetime.combine(day, time(), UTC)
    return since, since + timedelta(days=1)


def _imports(connection: Connection, wanted: Wanted, after: Mark, limit: int) -> list[Imported]:
    since, until = _bounds(wanted.day)
    chosen = (
        select(
            *(Import.id, Import.file_name, Import.given_by, Import.feed),
            *(Import.started_at, Import.finished_at, Import.counts),
        )
        .where(*_asked_for(wanted), Import.started_at >= since, Import.started_at < until)
        .where(tuple_(Import.started_at, Import.id) < _place(after.import_id))
        .order_by(Import.started_at.desc(), Import.id.desc())
        .limit(limit)
    )
    rows: Iterable[Any] = connection.execute(chosen)
    return [Imported(*row) for row in rows]


def _asked_for(wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    if wanted.source is not None:
        yield or_(Import.feed == wanted.source, Import.given_by == wanted.source)
    if wanted.kind is not None:
        # One look at an index for each import, in its order: see `ledger`.
        line = ledger.newest_of(wanted.kind, literal(IMPORTS) + cast(Import.id, String))
        yield line.with_only_columns(Event.id).limit(1).scalar_subquery().is_not(None)


def _place(import_id: int | None) -> Any:
    last = aliased(Import)
    began: Select[Any] = select(last.started_at).where(last.id == import_id)
    return tuple_(
        func.coalesce(began.scalar_subquery(), literal(ALWAYS[1], UtcDateTime)),
        literal(LARGEST_ID if import_id is None else import_id),
    )


def _merged(lines: list[Entry], imports: list[Imported], limit: int) -> list[Line]:
    # Each in its own order, whatever the clocks said: nobody is to be missing on every page.
    both: tuple[list[Line], list[Line]] = ([*lines], [*imports])
    return list(islice(heapq.merge(*both, key=moment, reverse=True), limit))


def moment(line: Line) -> datetime:
    """Return when a line was told, or an import begun."""
    return line.occurred_at if isinstance(line, Entry) else line.started_at


def _end(lines: list[Line], before: Mark) -> Mark:
    told = [line.id for line in lines if isinstance(line, Entry)]
    begun = [line.id for line in lines if isinstance(line, Imported)]
    return Mark(
        told[-1] if told else before.event_id,
        begun[-1] if begun else before.import_id,
    )
