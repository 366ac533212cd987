"""The history that is kept no longer: lines of the ledger, and of the audit trail.

Customers follow from claims, which stay, and so do answers, reasons and checks. What goes with a
line is that it was told: who merged with whom, and when.

A line stays, however old, while somebody relies on it: while its evidence is not among the claims,
while the review has not looked at it, while a large merge that it tells of is to be looked at by a
person, and while a webhook is still to be told. The feed begins after the last line that went.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import (
    Connection,
    String,
    and_,
    cast,
    delete,
    exists,
    func,
    select,
    text,
)

from identity import database, feed, ledger
from identity.importing import written
from identity.models import OPEN_FINDING, Audit, Change, Event, EventKind, Finding, Webhook
from identity.retaining import messages
from identity.retaining.accounts import Removed, Swept
from identity.retaining.pace import Pace
from identity.reviewing import sweeping
from identity.reviewing.findings import Kind

REVIEWING = 20.0
"""Seconds for which the review is waited for, where it has not looked at all that is to go."""

_event = Event.table().c
_audit = Audit.table().c
_finding = Finding.table().c
_change = Change.table().c
TOLD = select(func.min(Webhook.told)).where(
    Webhook.disabled_at.is_(None), Webhook.removed_at.is_(None)
)
"""The last change that every webhook has been told, as far as they are in use."""
_to_be_looked_at = and_(
    _event.kind == EventKind.CLUSTERS_MERGED.value,
    exists().where(
        _finding.kind == Kind.LARGE_MERGE.value,
        _finding.subject == cast(_event.id, String),
        text(OPEN_FINDING),
    ),
)


def sweep(keep: timedelta, many: int) -> Swept:
    """Remove what is older; return what went. `many` is for the review."""
    swept = Swept(datetime.now(UTC) - keep)
    first = _first_to_stay(swept.until, many)
    # What it wrote is counted by its lines.
    written.settle_broken_off(swept.until)
    pace, done = Pace(), 0
    while last := database.read(partial(_last, after=done, first=first, rows=pace.rows)):
        with pace.step():
            swept.step(partial(_remove_lines, after=done, last=last, until=swept.until))
        done = last
    for remove in _remove_audit, messages.remove, messages.remove_waiting:
        going = True
        while going:
            with pace.step():
                going = swept.step(partial(remove, until=swept.until, rows=pace.rows))
    return swept


def _first_to_stay(until: datetime, many: int) -> int:
    """Return the first line that is not to go, by when it was told, and by who needs it."""
    first = database.read(lambda connection: ledger.first_since(connection, until))
    if _looked_at() < first - 1:
        sweeping.sweep(many, seconds=REVIEWING)
    while feed.publish():
        pass
    return min(first, _looked_at() + 1, database.read(_first_to_tell))


def _looked_at() -> int:
    return database.read(sweeping.state).done or 0


def _first_to_tell(connection: Connection) -> int:
    """Return the first line that is not numbered for the feed, or that a webhook waits for."""
    first = feed.settled(connection) + 1
    told = connection.scalar(TOLD)
    if told is None:
        return first
    untold = select(func.min(_change.event_id)).where(_change.number > told)
    return min(first, connection.scalar(untold) or first)


def _last(connection: Connection, after: int, first: int, rows: int) -> int | None:
    """Return the last line of the next step; None where nothing is left."""
    ahead = select(_event.id).where(_event.id > after, _event.id < first)
    some = ahead.order_by(_event.id).limit(rows).subquery()
    last: int | None = connection.scalar(select(func.max(some.c.id)))
    return last


def _remove_lines(connection: Connection, after: int, last: int, until: datetime) -> Removed:
    # A webhook that nobody waited for may have been enabled since it was settled what is to go.
    feed.hold(connection)
    last = min(last, _first_to_tell(connection) - 1)
    # Lines stand in the order of their ids, and clocks may have been set meanwhile.
    may_go = _event.occurred_at < until, _event.in_claims, ~_to_be_looked_at
    feed.drop(connection, last)
    old = delete(Event.table()).where(_event.id > after, _event.id <= last, *may_go)
    return {"lines": connection.execute(old).rowcount}


def _remove_audit(connection: Connection, until: datetime, rows: int) -> Removed:
    oldest = select(_audit.id).where(_audit.at < until).order_by(_audit.at, _audit.id).limit(rows)
    gone = connection.execute(delete(Audit.table()).where(_audit.id.in_(oldest)))
    return {"audit": gone.rowcount}
