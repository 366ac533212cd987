"""Whether the database can do what callers will ask of it, found out at little cost."""

import tempfile
from pathlib import Path

from sqlalchemy import Connection, text

from identity import faults
from identity.database import patience
from identity.database.tables import Base, db
from identity.database.trying import read, retrying
from identity.errors import Contended, Unavailable

AT_ONCE = 0.2
"""Seconds for which the one writer of SQLite is waited for. Whoever writes shows that it can."""
ROOM = b"\0" * 65536
"""What a disk must have room for."""
TABLES = "identifier", "contact", "claim", "event"

_REVISION = text("SELECT version_num FROM alembic_version")


def revision() -> str | None:
    """Return the migration the database is at; raise `Unavailable`, also when it is at none."""
    found: str | None = read(lambda connection: connection.scalar(_REVISION))
    return found


def check() -> None:
    """Raise `Unavailable` when an SQLite file is damaged, or cannot be written to.

    A server knows by itself how it is, and says so when it is asked anything.
    """
    if db.engine.dialect.name != "sqlite":
        return
    path = Path(db.engine.url.database or "")
    # First, because what cannot be written to can often not even be opened, which says less.
    _check_room(path.parent)
    if not path.exists():
        raise Unavailable("The database's file is gone. Restore a backup, and start anew.")
    if read(lambda connection: _is_cut_short(connection, path)):
        raise Unavailable(faults.DAMAGED)
    read(_look_into_tables)
    try:
        with patience.within(AT_ONCE):
            retrying(_begin_to_write)
    except Contended:
        pass


def _is_cut_short(connection: Connection, path: Path) -> bool:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    size = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
    # What is not in the file yet is in the log beside it. That one first: it empties into the file.
    log = path.with_name(f"{path.name}-wal")
    logged = log.stat().st_size if log.exists() else 0
    return bool(pages * size > path.stat().st_size + logged)


def _look_into_tables(connection: Connection) -> None:
    for name in TABLES:
        table = Base.metadata.tables[name]
        key = [column.desc() for column in table.primary_key]
        connection.execute(table.select().order_by(*key).limit(1)).all()


def _check_room(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(ROOM)
    except OSError as error:
        raise Unavailable(faults.of_disk(error)) from error


def _begin_to_write() -> None:
    with db.engine.connect() as connection:
        connection.begin().rollback()
