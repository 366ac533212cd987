"""What happened to one customer, the newest first, and no more of it than is looked at.

What happened to a customer before a merge was told of the primary it had then. All of that came
before the merge: so a history is walked back from today, and where it meets a merge, that of the
one who was absorbed joins it.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice

from sqlalchemy import BigInteger, Connection, bindparam, exists

from identity.events import ENTRIES, Entry, entry
from identity.models import Contact, Event, EventKind, Id

CHUNK = 50
"""Lines that are read at a time, of each primary that the customer had."""

_event = Event.table().c
_member = Contact.table().alias("member").c
_of = bindparam("of_primary", type_=Id)
# Whoever was absorbed and taken apart again has a history of their own.
_is_member = exists().where(_member.id == _of, _member.linked_id == bindparam("customer", type_=Id))
_older = _event.id < bindparam("before", type_=BigInteger)
OF_PRIMARY = ENTRIES.where(_event.primary_id == _of, _older).limit(CHUNK)
OF_ABSORBED = OF_PRIMARY.where(_is_member)
NEVER = 2**63 - 1
ABSORBING = (EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED)
"""Their lines name the primary that was absorbed as the contact."""


def history(connection: Connection, primary_id: int) -> Iterator[Entry]:
    """Yield what happened to a customer, the newest first, reading as much as is asked for."""
    ahead: list[tuple[int, int, Entry, Iterator[Entry]]] = []
    known: set[int] = set()

    def join(id_: int) -> None:
        if id_ not in known:
            known.add(id_)
            go_on(_lines(connection, id_, primary_id), id_)

    def go_on(lines: Iterator[Entry], id_: int) -> None:
        for line in islice(lines, 1):
            heappush(ahead, (-line.id, id_, line, lines))

    join(primary_id)
    while ahead:
        _, id_, line, lines = heappop(ahead)
        yield line
        for absorbed in _absorbed(line):
            join(absorbed)
        go_on(lines, id_)


def page(
    connection: Connection, primary_id: int, limit: int | None, before: int | None = None
) -> tuple[list[Entry], Entry | None, bool]:
    """Return some lines older than `before`, the newest line of all, and whether there are more."""
    lines = history(connection, primary_id)
    newest = next(lines, None)
    if newest is None:
        return [], None, False
    older = (line for line in _with(newest, lines) if before is None or line.id < before)
    found = list(older if limit is None else islice(older, limit + 1))
    return found[:limit], newest, limit is not None and len(found) > limit


def _with(first: Entry, lines: Iterator[Entry]) -> Iterator[Entry]:
    yield first
    yield from lines


def _lines(connection: Connection, id_: int, customer: int) -> Iterator[Entry]:
    chosen = OF_PRIMARY if id_ == customer else OF_ABSORBED
    before = NEVER
    while True:
        asked = {"of_primary": id_, "customer": customer, "before": before}
        rows = connection.execute(chosen, asked).all()
        yield from (entry(*row) for row in rows)
        if len(rows) < CHUNK:
            return
        before = rows[-1].id


def _absorbed(line: Entry) -> Iterator[int]:
    if line.kind in ABSORBING and line.contact_id is not None:
        yield line.contact_id
    yield from (line.detail or {}).get("before", ())
