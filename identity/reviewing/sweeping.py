"""The sweep: whatever was told is looked at once, in its order, by whoever comes first.

A step reads without locking anything, and then writes what it found together with how far it
got. Several may be at the same step; the first to write counts, and the others' is dropped.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, select, text, update

from identity import database, rebuilding
from identity.models import Sweep
from identity.reviewing import findings, settling, steps
from identity.reviewing.findings import Found

PATIENCE = 5.0
"""Seconds to wait, at most, for those who are about to write what they were told."""
AGAIN_EVERY = timedelta(minutes=10)
"""After that long, findings are looked at again when customers became one meanwhile. After a
ruling they are at once."""

Watch = Callable[[int], None]
"""Told how far a sweep is: the place of the last claim looked at."""


class State(NamedTuple):
    """How far a sweep is."""

    done: int | None = None
    again_after: int | None = None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of a sweep."""

    steps: int
    finished: bool
    """Whether everything that was told before it began is looked at."""
    overtaken: bool = False
    """Whether somebody else was quicker, and goes on with it."""


_sweep = Sweep.table().c
_STATE = select(_sweep.done, _sweep.again_after, _sweep.again_at)
_MOVE_ON = (
    update(Sweep)
    # As it was read, or somebody else has moved it on.
    .where(_sweep.done.is_not_distinct_from(bindparam("was_done")))
    .where(_sweep.again_after.is_not_distinct_from(bindparam("was_again_after")))
)
BEGIN = text("INSERT INTO sweep (id) VALUES (1) ON CONFLICT (id) DO NOTHING")


def state(connection: Connection) -> State:
    """Return how far the sweep is."""
    row = connection.execute(_STATE).one_or_none()
    return State(*row) if row else State()


@database.unhurried()
def sweep(
    many: int,
    *,
    seconds: float = float("inf"),
    patience: float = PATIENCE,
    pause: Callable[[float], object] | None = None,
) -> Swept:
    """Look at what was told and was not looked at yet, for that many seconds at most.

    `many` is how many strangers are too many, as `fillers` has it. `pause` is called after each
    step, with the seconds that it took. Raise `Unavailable` when the database goes away.
    """
    # What the version before is told while both run becomes a claim at the place of its line.
    rebuilding.catch_up()
    last, known = settling.settled(patience)
    deadline = time.monotonic() + seconds
    number = 0
    while True:
        begun = time.monotonic()
        before = database.read(state)
        if not _is_due(before, last):
            return Swept(number, finished=known)
        if begun > deadline:
            return Swept(number, finished=False)
        if not _step(before, last, many):
            return Swept(number, finished=False, overtaken=True)
        number += 1
        if pause:
            pause(time.monotonic() - begun)


def is_due() -> bool:
    """Tell whether something was told that was not looked at."""
    return _is_due(database.read(state), database.read(settling.last))


def again() -> None:
    """Let the next sweep begin with the first claim."""

    def write() -> None:
        with database.transaction() as connection:
            connection.execute(update(Sweep).values(done=None, again_after=0))

    database.retrying(write)


def distrust(connection: Connection) -> None:
    """Let nobody write what they find just now, and look at all findings again.

    What they read may be gone with this transaction.
    """
    connection.execute(BEGIN)
    # Whoever is at it finds another place than they began at.
    other = case((_sweep.again_after == 0, -1), else_=0)
    connection.execute(update(Sweep.table()).values(again_after=other))


def _is_due(now: State, last: int | None) -> bool:
    if now.again_after is not None:
        return True
    return last is not None and (now.done is None or now.done < last)


def _step(before: State, last: int | None, many: int) -> bool:
    """Do what comes next; tell whether nobody else did it first."""
    with database.by_index() as connection:
        if last is not None and (before.done is None or before.done < last):
            after, found = _ahead(connection, before, last, many)
        else:
            after, found = _again(connection, before, many)

    def write() -> bool:
        with database.transaction() as connection:
            if not _move_on(connection, before, after):
                return False
            findings.keep(connection, found)
            return True

    return database.retrying(write)


def _ahead(
    connection: Connection, before: State, last: int, many: int
) -> tuple[State, list[Found]]:
    told = steps.ahead(connection, before.done, last)
    found = steps.look(connection, told, many)
    now = datetime.now(UTC)
    long_ago = before.again_at is None or abs(now - before.again_at) > AGAIN_EVERY
    if told.ruled or (told.merges and long_ago):
        return State(told.up_to, 0, now), found
    return before._replace(done=told.up_to), found


def _again(connection: Connection, before: State, many: int) -> tuple[State, list[Found]]:
    kept = findings.in_order(connection, before.again_after or 0, steps.AGAIN)
    found = steps.look_again(connection, kept, many)
    ended = len(kept) < steps.AGAIN
    return before._replace(again_after=None if ended else kept[-1].id), found


def _move_on(connection: Connection, before: State, after: State) -> bool:
    connection.execute(BEGIN)
    was: dict[str, Any] = {"was_done": before.done, "was_again_after": before.again_after}
    moved = connection.execute(_MOVE_ON.values(after._asdict()), was)
    return bool(moved.rowcount)
