"""Connections, the only commit and the only retry.

Two engines on one database. *Reading* is in autocommit from the moment it connects: a
look-up is one statement, and a transaction around it would cost three times as much.
*Deciding* (the default engine) is transactional. Nobody else opens, commits or retries.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from blinker import Signal
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, MetaData, Table, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from identity import faults
from identity.config import Config
from identity.errors import Contended, IdentityError, LostRace, Unavailable

PATIENCE = 5.0
"""Seconds a caller waits at most for a lock, a connection or a race before a 503."""
TRIES = 20
"""Decisions attempted at most, for one call."""
READING, DECIDING = "reading", "deciding"
DRIVERS = (DBAPIError, psycopg.Error, sqlite3.Error)
NO_ROOM = "The service is too busy. Try again."
CONTENDED = "Too many callers are changing the same customer. Try again."

T = TypeVar("T")
retried = Signal()
"""Sent each time a decision is made again."""


class Base(DeclarativeBase):
    """The declarative base. Every constraint has a name, so a migration can address it."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )

    @classmethod
    def table(cls) -> Table:
        """Return the table itself, for statements that are about rows and not objects."""
        assert isinstance(cls.__table__, Table)
        return cls.__table__


db = SQLAlchemy(metadata=Base.metadata)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, timezone-aware in Python on both databases. SQLite forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a moment without a zone is an error, not a guess."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a timezone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC, whatever zone the connection speaks."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def configure(app: Flask, config: Config) -> None:
    """Give the app its two engines for `config.database_url`."""
    common, pool = _options(config)
    deciding: dict[str, Any] = dict(pool)
    if config.database_url.startswith("sqlite"):
        if not config.frozen:
            # SQLite has one writer anyway. Waiting for it in our own queue is fair and wakes at
            # once; SQLite's busy timeout sleeps up to 100 ms at a time and may pass a caller over.
            deciding["pool_size"] = 1
    else:
        # In a stricter level the second reading, under the lock, would see the world as it was
        # before the wait for it. A database may have such a level as its default.
        deciding["isolation_level"] = "READ COMMITTED"
    reading = pool | {
        "isolation_level": "AUTOCOMMIT",
        # There is no transaction to roll back.
        "pool_reset_on_return": None,
        "skip_autocommit_rollback": True,
    }
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = common | deciding
    app.config["SQLALCHEMY_BINDS"] = {READING: common | reading}
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _listen_sqlite()
        elif config.pooler:
            event.listen(db.engine, "begin", _limit_waiting)
        else:
            for engine in db.engines.values():
                event.listen(engine, "connect", _prepare_postgresql)


def _options(config: Config) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what both engines are made with, and what the pool of each is."""
    # Parameters are customers' emails and phone numbers; they must not ride on exceptions.
    common: dict[str, Any] = {"url": config.database_url, "hide_parameters": True}
    pool: dict[str, Any] = {"poolclass": NullPool}
    if not config.frozen:
        common["pool_timeout"] = PATIENCE
        pool = {"pool_size": config.threads, "max_overflow": 0}
    if config.database_url.startswith("sqlite"):
        common["connect_args"] = {"timeout": PATIENCE}
        return common, pool
    common["execution_options"] = {"pooler": config.pooler}
    common["connect_args"] = {
        "connect_timeout": int(PATIENCE),
        "client_encoding": "utf8",
        # A host that vanished without a word is noticed after ten seconds, not two hours.
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 5,
    }
    if config.pooler:
        # The next transaction may be on another connection, where nothing was prepared.
        common["connect_args"]["prepare_threshold"] = None
    return common, pool


def _listen_sqlite() -> None:
    for engine in db.engines.values():
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(db.engine, "connect", _never_doze)
    event.listen(db.engine, "begin", _begin_immediate)


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # Python's own BEGIN comes late and is deferred: two such transactions that read and then
    # write cannot both succeed, and the loser's failure cannot be waited out.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # An answered call is durable, through a power cut too.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _never_doze(connection: sqlite3.Connection, _: object) -> None:
    # Once connected: while connecting, SQLite's own waiting is the right one.
    connection.execute("PRAGMA busy_timeout = 0")


def _begin_immediate(connection: Connection) -> None:
    sqlite = connection.connection.driver_connection
    assert isinstance(sqlite, sqlite3.Connection)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            sqlite.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not faults.is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.0002)
        else:
            return


def _prepare_postgresql(connection: Any, _: object) -> None:
    # Without a limit, one stuck transaction would hold every worker that wants its customer.
    # In autocommit, because a SET inside a transaction is undone with it.
    before, connection.autocommit = connection.autocommit, True
    connection.execute(f"SET lock_timeout = '{PATIENCE}s'")
    # The driver reads dates in this style only, and a database may have another as its default.
    connection.execute("SET datestyle = 'ISO'")
    connection.autocommit = before


def _limit_waiting(connection: Connection) -> None:
    # What a session sets, a pooler forgets or hands to somebody else.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")


@contextmanager
def reading() -> Iterator[Connection]:
    """Give a connection for single statements that write nothing."""
    with db.engines[READING].connect() as connection:
        yield connection


@contextmanager
def snapshot() -> Iterator[Connection]:
    """Give a connection whose every statement sees the database at one same moment.

    Raise `Unavailable` when the database goes away meanwhile.
    """
    try:
        with db.engines[READING].connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield connection
            except IdentityError:
                connection.exec_driver_sql("ROLLBACK")
                raise
            except BaseException:
                # A server that went away takes no ROLLBACK, and that second error would hide the
                # first.
                connection.invalidate()
                raise
            connection.exec_driver_sql("ROLLBACK")
    except PoolTimeout as error:
        raise Unavailable(NO_ROOM) from error
    except DRIVERS as error:
        fault = faults.sentence(_cause(error))
        if fault is None:
            raise
        raise Unavailable(fault) from error


@contextmanager
def _snapshot_without(*ways: str) -> Iterator[Connection]:
    """Give a snapshot in which PostgreSQL does not take some ways, named as its settings are."""
    # What is left may look so dear then that it would be compiled first.
    off = ", ".join(f"set_config('{way}', 'off', true)" for way in (*ways, "jit"))
    with snapshot() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT {off}")
        yield connection


def lookups() -> AbstractContextManager[Connection]:
    """Give a snapshot in which a few rows of large tables are looked up, each by an index.

    Right after an import PostgreSQL knows nothing of its tables, expects any value to stand in
    thousands of rows, and would rather read all of them.
    """
    joins = "enable_hashjoin", "enable_mergejoin"
    return _snapshot_without("enable_seqscan", "enable_bitmapscan", *joins)


def by_index() -> AbstractContextManager[Connection]:
    """Give a snapshot in which PostgreSQL reads no table from one end to the other.

    After a large import it goes by the figures of before, and would read a million rows where an
    index knows of ten.
    """
    return _snapshot_without("enable_seqscan")


@contextmanager
def transaction(*, one_statement: bool = False) -> Iterator[Connection]:
    """Give a connection whose writes are committed together at the end, or not at all.

    `one_statement` promises that PostgreSQL will be sent no more than one. That commits by
    itself, and spares the journeys there and back for BEGIN and COMMIT.
    """
    alone = one_statement and db.engine.dialect.name == "postgresql"
    if alone and not db.engine.get_execution_options()["pooler"]:
        with reading() as connection:
            yield connection
    else:
        with db.engine.connect() as connection:
            # Said aloud: prepared statements go past SQLAlchemy, which would begin by itself.
            begun = connection.begin()
            yield connection
            begun.commit()


@contextmanager
def only_one(table: Table) -> Iterator[Connection]:
    """Give a transaction of which there is one at a time, among those that ask for this table."""
    with transaction() as connection:
        if connection.dialect.name == "postgresql":
            name = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
        yield connection


def has_one_writer() -> bool:
    """Tell whether a transaction keeps all others from changing anything, as SQLite's does."""
    return bool(db.engine.dialect.name == "sqlite")


def retrying(decide: Callable[[], T], *, tries: int = TRIES) -> T:
    """Return what `decide` returns, calling it again for as long as it loses races.

    `decide` must read afresh on each call, and mean the same when called twice: a connection
    lost during the commit leaves open whether the first call took effect.
    Raise `Unavailable` when the database cannot be reached, and `Contended` when patience ends.
    """
    deadline = time.monotonic() + PATIENCE
    reconnected = False
    sentence = CONTENDED
    for attempt in range(tries):
        if attempt:
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
            last, cause = error, _cause(error)
            if not faults.lost_race(cause):
                fault = faults.sentence(cause)
                if fault is None:
                    raise
                sentence = fault
                if sentence == faults.TOO_BUSY:
                    raise Contended(sentence) from error
                if reconnected or sentence != faults.NO_ANSWER:
                    raise Unavailable(sentence) from error
                reconnected = True
                _forget_connections()
    raise (Contended if sentence == CONTENDED else Unavailable)(sentence) from last


def _cause(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


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


def revision() -> str | None:
    """Return the migration the database is at; raise `Unavailable`, also when it is at none."""
    statement = text("SELECT version_num FROM alembic_version")
    found: str | None = read(lambda connection: connection.scalar(statement))
    return found
