"""How lines of the ledger are found, newest first, without reading past those of an import."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
    union_all,
)

from identity.bulk import Question, Selected
from identity.database import UtcDateTime
from identity.models import OF_NO_IMPORT, Contact, Event, EventKind

IMPORTS, AFTER_IMPORTS = "import:", "import:\U0010ffff"
"""What the sources of imports begin with, and what comes after all of them."""

_event = Event.table().c
LINES = select(
    _event.id,
    _event.occurred_at,
    _event.kind,
    _event.source,
    _event.primary_id,
    _event.contact_id,
    _event.email,
    _event.phone_number,
    _event.detail,
)
"""What is read of a line."""


def first_since(connection: Connection, moment: datetime) -> int:
    """Return the id of the first line since a moment, or the one that the next line would have.

    Ids and times grow together, but for clocks that were set, and machines that disagree. Those
    lines are taken to be of the time of their neighbours.
    """
    return connection.scalar(FIRST_SINCE, {"moment": moment}) or 0


def sources(connection: Connection) -> list[str]:
    """Return every source that is no import, in one statement."""
    return list(connection.scalars(SOURCES))


@cache
def newest(kinds: tuple[EventKind, ...], *, of_source: bool) -> Select[*tuple[Any, ...]]:
    """Return the statement that finds the newest lines of some kinds.

    Its parameters are `limit`, `before` and `first`, which are ids, and `told_by` if they are of
    one source. If not, no import's are among them.
    """
    source = bindparam("told_by", type_=Text) if of_source else None
    before, first, limit = (
        bindparam(name, type_=BigInteger) for name in ("before", "first", "limit")
    )
    # Each kind by itself, because the newest of one kind stand together in an index.
    of_each = [
        newest_of(kind, source).where(_event.id < before, _event.id >= first).limit(limit)
        for kind in kinds
    ]
    lines = union_all(*(select(each.subquery()) for each in of_each)).subquery()
    return select(lines).order_by(lines.c.id.desc()).limit(limit)


def newest_of(kind: EventKind, source: ColumnElement[str] | None) -> Select[*tuple[Any, ...]]:
    """Return the lines of a kind, newest first, of a source or else of no import.

    Each value is looked for as "this one or none". A planner who knew that it is one would know
    that the order is the primary key's, and might follow that past the million lines of an import.
    """
    if source is None:
        chosen = LINES.where(_event.kind.in_([literal(kind.value), ""]), text(OF_NO_IMPORT))
        return chosen.order_by(_event.kind.desc(), _event.id.desc())
    chosen = LINES.where(_event.source.in_([source, ""]), _event.kind == kind.value)
    return chosen.order_by(_event.source.desc(), _event.kind.desc(), _event.id.desc())


def _first_since() -> Select[int | None]:
    # Ids have gaps. Halving them takes some twenty looks at the primary key; times have no index,
    # which each call would have to pay for.
    other = Event.table().alias()
    ends = select(literal(0, BigInteger).label("low"), (func.max(_event.id) + 1).label("high"))
    search = ends.cte("search", recursive=True)
    middle = (search.c.low + search.c.high) // 2
    chosen = select(other.c.occurred_at).where(other.c.id >= middle).order_by(other.c.id).limit(1)
    is_before = chosen.scalar_subquery() < bindparam("moment", type_=UtcDateTime)
    halved = select(
        case((is_before, middle + 1), else_=search.c.low),
        case((is_before, search.c.high), else_=middle),
    ).where(search.c.low < search.c.high)
    return select(func.max(search.union_all(halved).c.low))


def _sources() -> Select[str]:
    # From each source to the next one, however many lines it has.
    other = Event.table().alias()
    told = select(func.min(_event.source).label("source")).cte("told", recursive=True)
    is_import = and_(told.c.source >= IMPORTS, told.c.source < AFTER_IMPORTS)
    passed = case((is_import, AFTER_IMPORTS), else_=told.c.source)
    following = select(func.min(other.c.source)).where(other.c.source > passed).scalar_subquery()
    told = told.union_all(select(following).where(told.c.source.is_not(None)))
    return select(told.c.source).where(
        ~and_(told.c.source >= IMPORTS, told.c.source < AFTER_IMPORTS)
    )


FIRST_SINCE, SOURCES = _first_since(), _sources()


def _last_lines(asked: FromClause) -> Selected:
    # In the order of one index, so that nothing else can be taken for it: whoever read the ledger
    # from its end would read all of it for somebody of whom nothing was told for long.
    newest = (
        select(_event.id, _event.occurred_at)
        .where(_event.primary_id == asked.c.id)
        .order_by(_event.primary_id.desc(), _event.id.desc())
        .limit(1)
    )
    return (
        select(
            asked.c.id,
            newest.with_only_columns(_event.id).scalar_subquery().label("line"),
            newest.with_only_columns(_event.occurred_at).scalar_subquery().label("at"),
        )
        .select_from(asked)
        .join(Contact, Contact.id == asked.c.id)
        .where(Contact.linked_id.is_(None), Contact.deleted_at.is_(None))
    )


LAST_LINES = Question(_last_lines, id=BigInteger)


def last_lines(
    connection: Connection, primary_ids: Iterable[int]
) -> dict[int, tuple[int, datetime]]:
    """Return the newest line of the ledger about each who is a primary now, and its moment."""
    rows = LAST_LINES.ask(connection, ((id_,) for id_ in primary_ids))
    return {id_: (line, at) for id_, line, at in rows if line is not None}
