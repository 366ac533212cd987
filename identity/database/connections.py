"""Connections for whoever reads or writes, and the only commit."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from identity import faults
from identity.database import patience, postgresql
from identity.database.engines import READING
from identity.database.patience import PATIENCE
from identity.database.tables import db
from identity.errors import IdentityError, Unavailable

DRIVERS = (DBAPIError, psycopg.Error, sqlite3.Error)
NO_ROOM = "The service is too busy. Try again."


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
        with ExitStack() as stack:
            with patience.within(PATIENCE):
                connection = stack.enter_context(db.engines[READING].connect())
                _begin_snapshot(connection)
            if connection.dialect.name == "postgresql":
                postgresql.go_on(connection)
            try:
                yield connection
            except IdentityError:
                _end_snapshot(connection)
                raise
            except BaseException:
                # A server that went away takes no ROLLBACK, and that second error would hide the
                # first.
                connection.invalidate()
                raise
            _end_snapshot(connection)
    except PoolTimeout as error:
        raise Unavailable(NO_ROOM) from error
    except DRIVERS as error:
        fault = faults.sentence(cause_of(error))
        if fault is None:
            raise
        raise Unavailable(fault) from error


@contextmanager
def long_snapshot() -> Iterator[Connection]:
    """Give a snapshot for statements that take as long as they take.

    For parts that are yielded: whoever takes them has patience of their own meanwhile.
    """
    with ExitStack() as stack:
        with patience.unhurried():
            connection = stack.enter_context(snapshot())
        yield connection


def _begin_snapshot(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
        return
    limits = postgresql.UNHURRIED if patience.is_unhurried() else postgresql.FOR_A_PAGE
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    connection.exec_driver_sql(f"{begin}; {postgresql.local(limits)}")


def _end_snapshot(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        postgresql.end(connection)
    connection.exec_driver_sql("ROLLBACK")


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
            try:
                yield connection
            except Exception:
                raise
            except BaseException:
                # Whoever was stopped amid a statement has a connection that takes no ROLLBACK, and
                # that second error, which looks like a lost connection, would hide the first.
                connection.invalidate()
                raise
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


def cause_of(error: Exception) -> BaseException | None:
    """Return what the driver itself said."""
    return error.orig if isinstance(error, DBAPIError) else error
