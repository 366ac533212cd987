"""Group commit: those who wait for a database's one writer share a transaction.

SQLite lets one transaction write at a time, and each waits for the disk in the end. Whoever comes
while another one is at it waits; then the first of those waiting leads all of them through one
transaction, one after another, and one wait for the disk is enough for all.
"""

import threading
import time
from collections.abc import Callable
from math import inf
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from identity import database
from identity.database import patience
from identity.errors import Unavailable

MOST = 50
"""Decisions in one transaction. They take some 15 ms, for which others wait."""
BUSY, PAUSE = 0.003, 0.0005
"""Seconds since the last transaction for which more callers are to be expected, and for which the
one who leads then waits for them."""

T = TypeVar("T")


class _Caller(Generic[T]):
    """Somebody who has something to decide."""

    def __init__(self, decide: Callable[[Connection], T]) -> None:
        self._decide = decide
        self._results: list[T] = []
        self.error: Exception | None = None
        self.leads = False
        self.called = threading.Event()
        """Set when it is decided, or when it is theirs to lead."""

    def decide(self, connection: Connection) -> None:
        """Decide in a transaction of which nobody else is part."""
        self._results = [self._decide(connection)]

    def decide_among_others(self, connection: Connection) -> None:
        """Decide in a transaction of others, which goes on whatever becomes of this."""
        connection.exec_driver_sql("SAVEPOINT caller")
        try:
            self.decide(connection)
        except Exception as error:
            # Where the transaction is lost as a whole this fails, and then all have failed.
            connection.exec_driver_sql("ROLLBACK TO caller")
            self.error = error
        connection.exec_driver_sql("RELEASE caller")

    def result(self) -> T:
        """Return what was decided, or raise what went wrong."""
        if self.error:
            raise self.error
        return self._results[0]


class _Group:
    """Those who wait for one writer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Caller[Any]] = []
        self._is_led = False
        self._ended = -inf

    def decide(self, decide: Callable[[Connection], T]) -> T:
        """Return what `decide` returns, once it is written."""
        caller = _Caller(decide)
        with self._lock:
            self._waiting.append(caller)
            caller.leads, self._is_led = not self._is_led, True
        if not caller.leads:
            self._wait(caller)
        if caller.leads:
            self._lead()
        return caller.result()

    def _wait(self, caller: _Caller[Any]) -> None:
        if caller.called.wait(patience.left()):
            return
        with self._lock:
            if caller in self._waiting and not caller.leads:
                self._waiting.remove(caller)
                raise Unavailable(database.NO_ROOM)
        # Taken along at the last moment.
        caller.called.wait()

    def _lead(self) -> None:
        callers: list[_Caller[Any]] = []
        left: list[_Caller[Any]] = []
        try:
            if time.monotonic() - self._ended < BUSY:
                # At a door nobody was heard during the last one. Whoever has called comes along.
                time.sleep(PAUSE)
            with self._lock:
                callers, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            left = _decide(callers)
        finally:
            self._ended = time.monotonic()
            for caller in callers:
                if caller not in left:
                    caller.called.set()
            with self._lock:
                self._waiting[:0] = left
                self._is_led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].called.set()


def _decide(callers: list[_Caller[Any]]) -> list[_Caller[Any]]:
    """Let all decide in one transaction; return those who are left when it never began.

    It did not within the patience of whoever leads, and the others may have more.
    """
    begun = False
    try:
        with database.transaction() as connection:
            begun = True
            if len(callers) == 1:
                callers[0].decide(connection)
            else:
                for caller in callers:
                    caller.decide_among_others(connection)
    except Exception as error:
        for caller in callers if begun else callers[:1]:
            caller.error = error
        return [] if begun else callers[1:]
    return []


_groups: WeakKeyDictionary[Engine, _Group] = WeakKeyDictionary()


def decide(decide: Callable[[Connection], T]) -> T:
    """Return what `decide` returns, given a transaction that others may share.

    It must be quick, and raises what `decide` raises, which then has written nothing; or what goes
    wrong with the transaction as a whole. Raise `Unavailable` when patience ends.
    """
    return _groups.setdefault(database.db.engine, _Group()).decide(decide)
