"""The space in which something stood that is gone: given back, so that nobody finds it there.

A database marks a deleted row as deleted, and overwrites it when it needs the space. SQLite writes
its file anew, and empties what it wrote ahead (the -wal file). PostgreSQL marks the space free, and
counts anew what it has noted of its tables for planning; bytes that are left on a page go when the
space is used again, or with `VACUUM FULL`, which locks everybody out. What is on other disks by
then - a write-ahead log that is archived, a replica that is behind, a backup - is beyond any
statement.
"""

import json
import sqlite3
import time
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import DBAPIError

from identity import database
from identity.models import Erasure

TABLES = (
    *("contact", "identifier", "claim", "reference", "event", "link", "ruling", "withdrawal"),
    *("kept_apart", "finding", "import"),
)
PATIENCE = 3.0
"""Seconds for which whoever reads from a file of SQLite is waited for, where somebody asked."""
# What VACUUM asks too: of tables of others it does nothing, and only warns.
OURS = text(
    "SELECT bool_and(pg_has_role(relowner, 'USAGE')) OR (SELECT pg_has_role(datdba, 'USAGE')"
    " FROM pg_database WHERE datname = current_database())"
    " FROM pg_class WHERE oid IN (SELECT to_regclass(name)"
    " FROM json_array_elements_text(CAST(:names AS json)) AS named (name))"
)
_erasure = Erasure.table().c
PENDING = select(_erasure.id).where(_erasure.cleared_at.is_(None)).order_by(_erasure.id)
_written_anew: WeakKeyDictionary[Engine, int] = WeakKeyDictionary()
"""The last erasure after which this process wrote a file of SQLite anew."""


@database.unhurried()
def clear(patience: float = 0.0) -> bool:
    """Give the space back of all that was erased until now; tell whether that could be done.

    Others may be reading from a file of SQLite: they are waited for so many seconds, and then it
    is to be done later. On PostgreSQL only the owner of the tables, or of the database, can do it.
    """
    due = database.read(lambda connection: list(connection.scalars(PENDING)))
    if not due:
        return True
    with database.reading() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        if on_sqlite:
            done = _clear_sqlite(connection, due[-1], time.monotonic() + patience)
        else:
            done = _clear_postgresql(connection)
    if done:
        _note(due)
    return done


def _note(due: list[int]) -> None:
    def write() -> None:
        with database.transaction() as connection:
            row = update(Erasure.table()).where(_erasure.id.in_(due))
            connection.execute(row.values(cleared_at=datetime.now(UTC)))

    database.retrying(write)


def _clear_sqlite(connection: Connection, last: int, deadline: float) -> bool:
    """Write the file anew, and everything that was written ahead into it."""
    while True:
        try:
            # Once for all readers: each time the whole file is written ahead, too.
            if _written_anew.get(connection.engine) != last:
                connection.exec_driver_sql("VACUUM")
                _written_anew[connection.engine] = last
            if _is_emptied(connection):
                return True
        except (DBAPIError, sqlite3.OperationalError):
            # Somebody writes just now.
            pass
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)


def _is_emptied(connection: Connection) -> bool:
    busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def may(connection: Connection) -> bool:
    """Tell whether this role may give back space of PostgreSQL: who serves need not own tables."""
    return bool(connection.scalar(OURS, {"names": json.dumps(TABLES)}))


def _clear_postgresql(connection: Connection) -> bool:
    if not may(connection):
        return False
    try:
        # The figures for planning list the most frequent values, and some of the others.
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(TABLES)}"))
    except (DBAPIError, psycopg.Error):
        return False
    return True
