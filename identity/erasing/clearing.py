"""The space in which something stood that is gone: given back, so that nobody finds it there.

A database marks a deleted row as deleted, and overwrites it when it needs the space. SQLite writes
its file anew, and empties what it wrote ahead (the -wal file); PostgreSQL clears its pages, and
what it has noted of its tables for planning. What is on other disks by then - a write-ahead log
that is archived, a replica that is behind, a backup - is beyond any statement.
"""

import sqlite3
import time
from datetime import UTC, datetime

import psycopg
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from identity import database
from identity.models import Erasure

TABLES = (
    *("contact", "identifier", "claim", "reference", "event", "link", "ruling", "withdrawal"),
    *("kept_apart", "finding", "import"),
)
PATIENCE = 3.0
"""Seconds for which whoever reads from a file of SQLite is waited for."""
_erasure = Erasure.table().c
PENDING = select(_erasure.id).where(_erasure.cleared_at.is_(None)).order_by(_erasure.id)


def is_due() -> bool:
    """Tell whether something was erased whose space was not given back."""
    return bool(database.read(lambda connection: connection.execute(PENDING.limit(1)).all()))


@database.unhurried()
def clear() -> bool:
    """Give the space back of all that was erased until now; tell whether that could be done.

    Others may be reading from a file of SQLite, and then it is to be done later.
    """
    due = database.read(lambda connection: list(connection.scalars(PENDING)))
    if not due:
        return True
    with database.reading() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        done = _clear_sqlite(connection) if on_sqlite else _clear_postgresql(connection)
    if done:
        _note(due)
    return done


def _note(due: list[int]) -> None:
    def write() -> None:
        with database.transaction() as connection:
            row = update(Erasure.table()).where(_erasure.id.in_(due))
            connection.execute(row.values(cleared_at=datetime.now(UTC)))

    database.retrying(write)


def _clear_sqlite(connection: Connection) -> bool:
    """Write the file anew, and everything that was written ahead into it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.exec_driver_sql("VACUUM")
            if _is_emptied(connection):
                return True
        except (DBAPIError, sqlite3.OperationalError):
            # Somebody writes just now.
            pass
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def _is_emptied(connection: Connection) -> bool:
    busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def _clear_postgresql(connection: Connection) -> bool:
    try:
        # The figures for planning list the most frequent values, and some of the others.
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(TABLES)}"))
    except (DBAPIError, psycopg.Error):
        # Who serves need not own the tables.
        return False
    return True
