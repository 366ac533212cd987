"""Numbering changes, once they are committed.

A line of the ledger draws its id while its customer is locked. So of the lines of one customer the
ids are in the order in which they happened, and whoever sees one sees all before it. Of lines of
different customers that is not so: an id is drawn before the commit, and a transaction that drew
12 may be committed before the one that drew 11. So each line that is a change is given a number
when somebody sees it, in the order of the ids. One publisher at a time does so.

How far the ids are settled, which is that none up to there will become visible any more, bounds
where is looked: on PostgreSQL by the transactions that go on. An id is drawn by a transaction that
has its own number already, because it has locked or written something. So everybody who has drawn
one up to the last that was drawn *before* we began has a smaller number than we have.
"""

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, exists, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from identity import database
from identity.feed.changes import TOLD
from identity.models import Change, Event, Feed

MOST = 10_000
"""Changes that are numbered in one transaction."""

_event = Event.table().c
_change = Change.table().c
_feed = Feed.table().c
LAST_DRAWN = {
    "postgresql": "SELECT pg_sequence_last_value(pg_get_serial_sequence('event', 'id')::regclass)",
    "sqlite": "SELECT seq FROM sqlite_sequence WHERE name = 'event'",
}
TRANSACTIONS = text(
    "SELECT txid_snapshot_xmin(txid_current_snapshot()) AS oldest, txid_current() AS ours"
)
"""The oldest transaction that goes on, and this one."""
BEGIN = (
    # SQLite has these words, too.
    postgresql_insert(Feed.table())
    .values(id=1, last=0, begins_after=0, settled=0)
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
)
STATE = select(_feed.last, _feed.settled, _feed.noted, _feed.horizon)


class State(NamedTuple):
    """How far the feed is: what `Feed` keeps."""

    last: int
    settled: int
    noted: int | None
    horizon: int | None


def publish() -> int:
    """Give numbers to what happened since somebody last did; return how many changes that were.

    They are `MOST` at most; then there may be more. Somebody else may be about it: then it is 0.
    Raise `Unavailable`.
    """
    if not database.read(_is_something_new):
        return 0
    return database.retrying(_publish)


def _is_something_new(connection: Connection) -> bool:
    drawn = _last_drawn(connection)
    return drawn > 0 and drawn > (connection.scalar(select(_feed.settled)) or 0)


def _last_drawn(connection: Connection) -> int:
    """Return the id that was drawn last, for a line or for a claim."""
    return connection.scalar(text(LAST_DRAWN[connection.dialect.name])) or 0


def _publish() -> int:
    with database.transaction() as connection:
        # Before this transaction has a number of its own, which locking gives it.
        drawn = _last_drawn(connection)
        before = _locked(connection)
        if before is None:
            return 0
        # Whoever is not among those that go on now is seen by the next statement.
        settled = _settled(connection, before, drawn)
        count = connection.execute(NUMBER, {**before._asdict(), "most": MOST}).rowcount
        now = settled._replace(last=before.last + count)
        if count == MOST:
            reached = connection.scalar(select(_change.event_id).where(_change.number == now.last))
            now = now._replace(settled=min(now.settled, reached or 0))
        if now != before:
            connection.execute(update(Feed.table()).values(now._asdict()))
        return count


def _locked(connection: Connection) -> State | None:
    """Return how far the feed is, and keep others from it; None while somebody else does."""
    chosen = STATE.with_for_update(skip_locked=True)
    row = connection.execute(chosen).one_or_none()
    if row is None and connection.execute(BEGIN).rowcount:
        row = connection.execute(chosen).one()
    return row and State(*row)


def _settled(connection: Connection, state: State, drawn: int) -> State:
    if database.has_one_writer():
        return state._replace(settled=drawn)
    oldest, ours = connection.execute(TRANSACTIONS).one()
    if oldest >= ours:
        return state._replace(settled=drawn, noted=None, horizon=None)
    if state.noted is not None and state.horizon is not None and state.horizon <= oldest:
        return state._replace(settled=state.noted, noted=drawn, horizon=ours)
    if state.horizon is None or state.horizon > ours:
        # Nothing was noted yet, or by a server whose data was brought to this one.
        return state._replace(noted=drawn, horizon=ours)
    return state


def _number() -> Any:
    told = [kind.value for kind in TOLD]
    unnumbered = (
        select(_event.id)
        .where(
            _event.id > bindparam("settled", type_=BigInteger),
            _event.kind.in_(told),
            # An erasure of somebody of whom no customer knew changes none.
            _event.primary_id.is_not(None),
            _event.detail["with"].as_string().is_(None),
            ~exists().where(_change.event_id == _event.id),
        )
        .order_by(_event.id)
        .limit(bindparam("most", type_=BigInteger))
        .subquery()
    )
    place = func.row_number().over(order_by=unnumbered.c.id)
    number = bindparam("last", type_=BigInteger) + place
    numbered = select(number, unnumbered.c.id)
    into = insert(Change.table()).from_select(["number", "event_id"], numbered)
    return into.execution_options(preserve_rowcount=True)


NUMBER = _number()
