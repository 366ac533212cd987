"""What happened to one customer, the newest first, and no more of it than is looked at.

What happened to a customer before a merge was told of the primary it had then. All of that came
before the merge: so a history is walked back from today, and where it meets a merge, that of the
one who was absorbed joins it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice

from sqlalchemy import BigInteger, Connection, FromClause, bindparam, select

from identity.bulk import Question, Selected
from identity.events import ENTRIES, Entry, entry
from identity.models import Contact, Event, EventKind, Id

CHUNK = 50
"""Lines that are read at a time, of each primary that the customer had."""
ABSORBING = (EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED)
"""Their lines name the primary that was absorbed as the contact."""
REJOINING = (
    EventKind.CUSTOMER_CHANGED,
    EventKind.CUSTOMER_MENDED,
    EventKind.CUSTOMER_ERASED,
)
"""Theirs name who it was before."""
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a history."""

    entries: list[Entry]
    heard: Entry | None
    """The newest line that tells of no ruling; None when that is long ago."""
    older: int | None
    """The line before which the next page begins; None on the last."""


_event = Event.table().c
_contact = Contact.table().c
_before = bindparam("before", type_=BigInteger)
OF_PRIMARY = ENTRIES.where(_event.primary_id == bindparam("of_primary", type_=Id)).where(
    _event.id < _before
)


def _absorptions(asked: FromClause) -> Selected:
    kinds = [kind.value for kind in (*ABSORBING, *REJOINING)]
    return (
        ENTRIES.order_by(None)
        .join_from(asked, Event.table(), _event.primary_id == asked.c.id)
        .where(_event.id >= _before, _event.kind.in_(kinds))
    )


def _members(asked: FromClause) -> Selected:
    return (
        select(_contact.id)
        .join_from(asked, Contact.table(), _contact.id == asked.c.id)
        .where(_contact.linked_id == bindparam("customer", type_=Id))
    )


def _lines_of(asked: FromClause) -> Selected:
    return (
        ENTRIES.order_by(None)
        .join_from(asked, Event.table(), _event.primary_id == asked.c.id)
        .where(_event.id < _before)
    )


ABSORPTIONS = Question(_absorptions, id=BigInteger)
MEMBERS = Question(_members, id=BigInteger)
LINES_OF = Question(_lines_of, id=BigInteger)


def history(connection: Connection, primary_id: int, before: int | None = None) -> Iterator[Entry]:
    """Yield what happened to a customer, the newest first, reading as much as is asked for."""
    ahead: list[tuple[int, int, Entry, Iterator[Entry]]] = []
    known = {primary_id}

    def go_on(lines: Iterator[Entry]) -> None:
        for line in islice(lines, 1):
            heappush(ahead, (-line.id, id(lines), line, lines))

    go_on(_lines(connection, primary_id, before or NEVER))
    if before is not None:
        # Whoever was absorbed after that has lines before it.
        known |= _absorbed_since(connection, primary_id, before)
        go_on(_all_lines(connection, known - {primary_id}, before))
    while ahead:
        _, _, line, lines = heappop(ahead)
        yield line
        new = set(_absorbed(line)) - known
        if new:
            known |= new
            for absorbed in _still_members(connection, new, primary_id):
                go_on(_lines(connection, absorbed, line.id))
        go_on(lines)


def page(
    connection: Connection, primary_id: int, limit: int | None, before: int | None = None
) -> Page:
    """Return some lines older than `before`; all of them without a limit."""
    lines = history(connection, primary_id, before)
    found = list(lines if limit is None else islice(lines, limit + 1))
    shown = found[:limit]
    newest = shown if before is None else islice(history(connection, primary_id), CHUNK)
    heard = next((line for line in newest if line.kind not in REJOINING), None)
    return Page(shown, heard, shown[-1].id if len(shown) < len(found) else None)


def _lines(connection: Connection, id_: int, before: int) -> Iterator[Entry]:
    while True:
        asked = {"of_primary": id_, "before": before}
        rows = connection.execute(OF_PRIMARY.limit(CHUNK), asked).all()
        yield from (entry(*row) for row in rows)
        if len(rows) < CHUNK:
            return
        before = rows[-1].id


def _all_lines(connection: Connection, ids: Iterable[int], before: int) -> Iterator[Entry]:
    rows = LINES_OF.ask(connection, ((id_,) for id_ in ids), before=before)
    yield from sorted((entry(*row) for row in rows), key=lambda line: -line.id)


def _absorbed_since(connection: Connection, primary_id: int, before: int) -> set[int]:
    """Return who was absorbed at `before` or later, at first or second hand, and still is."""
    found, ahead = set[int](), {primary_id}
    while ahead:
        rows = ABSORPTIONS.ask(connection, ((id_,) for id_ in ahead), before=before)
        met = {id_ for row in rows for id_ in _absorbed(entry(*row))} - found - {primary_id}
        ahead = _still_members(connection, met, primary_id)
        found |= ahead
    return found


def _still_members(connection: Connection, ids: Iterable[int], primary_id: int) -> set[int]:
    # Whoever was absorbed and taken apart again has a history of their own.
    rows = MEMBERS.ask(connection, ((id_,) for id_ in ids), customer=primary_id)
    return {row.id for row in rows}


def _absorbed(line: Entry) -> Iterator[int]:
    if line.kind in ABSORBING and line.contact_id is not None:
        yield line.contact_id
    if line.kind in REJOINING:
        yield from (line.detail or {}).get("before", ())
