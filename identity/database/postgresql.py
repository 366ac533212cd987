"""Connections to PostgreSQL: how they are made, what is set for them, and when they give up."""

from collections.abc import Generator
from math import inf
from time import monotonic
from typing import Any, Self, TypeVar

import psycopg
from psycopg import errors
from sqlalchemy import Connection
from sqlalchemy.exc import DisconnectionError

from identity.database import patience, waiting
from identity.database.patience import PATIENCE

LOCK, STATEMENT = PATIENCE - 1, PATIENCE - 0.5
"""Seconds after which the server gives up a lock, and a statement, of a caller."""
PAGE = 30.0
"""Seconds after which it gives up a statement for a page."""
IDLE, IDLE_LONG = 10, 600
"""Seconds without a word in a transaction, after which whoever began it is taken for gone."""
HURRIED = {
    "lock_timeout": f"{LOCK}s",
    "statement_timeout": f"{STATEMENT}s",
    "idle_in_transaction_session_timeout": f"{IDLE}s",
}
UNHURRIED = {
    "lock_timeout": f"{LOCK}s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": f"{IDLE_LONG}s",
}
FOR_A_PAGE = UNHURRIED | {"statement_timeout": f"{PAGE}s"}

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time. Whether it did what it was asked to is not known."""


class Patient(psycopg.Connection[Any]):
    """A connection that waits no longer than whoever uses it."""

    until = inf
    """When patience ends, on the monotonic clock."""
    longest = inf
    """Seconds that one answer may take."""
    prepared = False
    """Settings were made for as long as it lasts. Behind a pooler there are none."""
    unhurried = False
    """What the server was told of it last."""
    _waited: waiting.Waited | None = None

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, Self]:
        # Half of what is left, so that there is time for the next host, or the next try.
        until = monotonic() + patience.left(2 * PATIENCE) / 2
        connection = waiting.connected(super()._connect_gen(conninfo), until)
        connection._waited = waiting.in_gevent()
        connection.until = monotonic() + patience.left()
        return connection
        yield  # psycopg waits for what a generator asks for. This one asks for nothing.

    def wait(
        self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None
    ) -> T:
        """Wait for an answer; past the time, leave the connection and raise `NoAnswer`."""
        left = self.until - monotonic()
        if left > self.longest:
            left = self.longest
        try:
            if left <= 0:
                raise TimeoutError
            if timeout is None and self._waited:
                return self._answered(gen, left, self._waited)
            return super().wait(gen, interval, timeout or (left if left < inf else None))
        except (TimeoutError, errors._WaitTimeout):
            # Without a word to the server, for which one would wait as well.
            self.pgconn.finish()
            raise NoAnswer("the server did not answer in time") from None

    def _answered(self, gen: Generator[Any, Any, T], left: float, waited: waiting.Waited) -> T:
        try:
            return waiting.answered(gen, self.pgconn.socket, left, waited)
        except psycopg.Error:
            raise
        except BaseException:
            # Whoever interrupted this wait does not know that an answer is still to come.
            self.pgconn.finish()
            raise


def connect(_: object, __: object, args: list[Any], given: dict[str, Any]) -> Patient:
    """Connect, for SQLAlchemy, to the first of several hosts that will do."""
    global _last
    hosts, ports = (str(given.get(name, "")).split(",") for name in ("host", "port"))
    if len(hosts) == len(ports) > 1:
        # That of last time first: one that is no more would take half of each caller's time.
        order = sorted(zip(hosts, ports, strict=True), key=lambda place: place != _last)
        host, port = map(",".join, zip(*order, strict=True))
        given = given | {"host": host, "port": port}
    connection = Patient.connect(*args, **given)
    _last = connection.info.host, str(connection.info.port)
    return connection


_last: tuple[str, str] | None = None
"""The host and the port that would do last."""


def prepare(connection: Patient, _: object) -> None:
    """Set what holds for as long as the connection does."""
    # The driver reads dates in this style only, and a database may have another as its default.
    _set(connection, HURRIED | {"datestyle": "ISO"})
    connection.prepared = True


def hurry(connection: Patient, _: object, __: object) -> None:
    """Let whoever takes a connection out of the pool wait as long as they may."""
    if connection.closed:
        raise DisconnectionError
    connection.until, connection.longest = patience.until(), inf
    if connection.prepared and (connection.unhurried or patience.is_unhurried()):
        _settle(connection)


def _settle(connection: Patient) -> None:
    """Tell the server whether whoever has the connection has time."""
    unhurried = patience.is_unhurried()
    # Whoever has it finds out at once, nevertheless, that there is no answer at all.
    connection.until = min(connection.until, monotonic() + PATIENCE)
    _set(connection, UNHURRIED if unhurried else HURRIED)
    connection.until, connection.unhurried = patience.until(), unhurried


def go_on(connection: Connection) -> None:
    """Wait for each answer as long as a page may take; the server answered a moment ago."""
    patient = _driver(connection)
    patient.until = patience.until()
    patient.longest = inf if patience.is_unhurried() else PAGE + 1


def end(connection: Connection) -> None:
    """Wait for no more than a word of good-bye."""
    _driver(connection).longest = PATIENCE


def _driver(connection: Connection) -> Patient:
    patient = connection.connection.driver_connection
    assert isinstance(patient, Patient)
    return patient


def _set(connection: Patient, settings: dict[str, str]) -> None:
    # In autocommit, because a SET inside a transaction is undone with it.
    before, connection.autocommit = connection.autocommit, True
    connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
    connection.autocommit = before


def limit(connection: Connection) -> None:
    """Set what holds for one transaction."""
    # What a session sets, a pooler forgets or hands to somebody else.
    connection.exec_driver_sql(local(UNHURRIED if patience.is_unhurried() else HURRIED))


def local(settings: dict[str, str]) -> str:
    """Return the statements that set something for one transaction."""
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
