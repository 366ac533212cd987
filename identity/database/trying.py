"""The only retry: a decision that lost a race, or its connection, is made again."""

import random
import time
from collections.abc import Callable
from math import inf
from typing import TypeVar

from blinker import Signal
from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeout

from identity import faults
from identity.database import patience
from identity.database.connections import DRIVERS, NO_ROOM, cause_of, reading
from identity.database.patience import PATIENCE, PERSISTENCE
from identity.database.tables import db
from identity.errors import Contended, LostRace, Unavailable

TRIES = 20
"""Decisions attempted at most, for one call."""
CONTENDED = "Too many callers are changing the same customer. Try again."

T = TypeVar("T")
retried = Signal()
"""Sent each time a decision is made again."""


def retrying(decide: Callable[[], T], *, tries: int = TRIES) -> T:
    """Return what `decide` returns, calling it again for as long as it loses races.

    `decide` must read afresh on each call, and mean the same when called twice: a connection
    lost during the commit leaves open whether the first call took effect.
    Raise `Unavailable` when the database cannot be reached, and `Contended` when patience ends.
    """
    if patience.is_unhurried():
        return _retrying(decide, tries, inf)
    with (patient := patience.within(PATIENCE)):
        return _retrying(decide, tries, patient.until)


def _retrying(decide: Callable[[], T], tries: int, deadline: float) -> T:
    reconnected = False
    sentence = CONTENDED
    for attempt in range(tries):
        if attempt:
            if deadline == inf:
                # Of what takes long, the first try may have taken longer than patience lasts.
                deadline = time.monotonic() + PERSISTENCE
            if time.monotonic() > deadline:
                break
            retried.send()
            # Losers that come back in step meet again; a random pause breaks the step.
            time.sleep(random.uniform(0, min(0.1, 0.001 * 2**attempt)))
        try:
            return decide()
        except LostRace as error:
            last: Exception = error
        except PoolTimeout as error:
            raise Unavailable(NO_ROOM) from error
        except DRIVERS as error:
            last, cause = error, cause_of(error)
            if not faults.lost_race(cause):
                fault = faults.sentence(cause)
                if fault is None:
                    raise
                sentence = fault
                if sentence == faults.TOO_BUSY:
                    raise Contended(sentence) from error
                late = time.monotonic() > deadline
                if late or sentence == faults.TOO_LONG:
                    raise Unavailable(sentence) from error
                # A file that was put in place of a damaged one, too, is another one.
                _forget_connections()
                if reconnected or sentence != faults.NO_ANSWER:
                    raise Unavailable(sentence) from error
                reconnected = True
    raise (Contended if sentence == CONTENDED else Unavailable)(sentence) from last


def _forget_connections() -> None:
    # When the server has restarted, every connection in the pools is as dead as the one that
    # told us. Meeting them one by one would use up the patience of one caller for each.
    for engine in db.engines.values():
        engine.dispose()


def elsewhere(function: Callable[[], T]) -> Callable[[], T]:
    """Return the function as another thread may call it, with the same connections."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def call() -> T:
        with app.app_context():
            return function()

    return call


def read(question: Callable[[Connection], T]) -> T:
    """Return the answer to a question that takes one statement; raise `Unavailable`."""

    def ask() -> T:
        with reading() as connection:
            return question(connection)

    return retrying(ask)
