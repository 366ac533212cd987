"""One migration at a time: whoever begins second waits, and finds that nothing is left to do."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from identity.database.postgresql import LOCK
from identity.database.tables import db

NUMBER = 0x1DE2717
"""Of the lock, among those that programs agree on in one database. Any would do."""


@contextmanager
def alone() -> Iterator[None]:
    """Let nobody else on this machine migrate, where the database is a file."""
    if db.engine.dialect.name != "sqlite":
        yield
        return
    # A lock on the folder leaves no file behind. On that of the database, closing it would end
    # SQLite's own locks.
    folder = os.open(Path(db.engine.url.database or "").parent, os.O_RDONLY)
    try:
        # A file system without locks has no second machine that could migrate, either.
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def wait_for_others(connection: Connection) -> None:
    """Wait, within a transaction, until nobody else migrates this PostgreSQL database."""
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({NUMBER})")
    except DBAPIError:
        # An engine that speaks PostgreSQL's language and has no such locks.
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK}s'")
