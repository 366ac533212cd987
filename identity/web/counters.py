"""Counters that all workers of this machine share: a small SQLite file.

It may be lost without harm. Whoever has set the clock, and whichever way: a counter that would run
for longer than it was to run for is of a time that never was, and begins anew.
"""

import hashlib
import os
import sqlite3
import tempfile
import threading
import time
from itertools import count
from pathlib import Path

from limits.storage import Storage

from identity.errors import ConfigurationError
from identity.once import put_in_place

NOW = "((julianday('now') - 2440587.5) * 86400)"
"""As `time.time()`, asked once it is one's turn: who waited for it would ask with an old one."""
LIVE = f"(expires > {NOW} AND expires <= {NOW} + seconds)"
COUNT = (
    f"INSERT INTO counter (name, value, expires, seconds) VALUES (?, ?, {NOW} + ?, ?)"  # noqa: S608
    " ON CONFLICT (name) DO UPDATE SET"
    f" value = excluded.value + CASE WHEN {LIVE} THEN value ELSE 0 END,"
    f" expires = CASE WHEN {LIVE} THEN expires ELSE excluded.expires END,"
    " seconds = excluded.seconds RETURNING value"
)
BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SharedStorage(Storage):
    """Counters in an SQLite file."""

    STORAGE_SCHEME = None

    def __init__(self, path: Path) -> None:
        """Count in that file, making it when it is not there."""
        super().__init__()
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._counted = count()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong while counting."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter, which begins anew when it has expired; return its value."""
        if next(self._counted) % 1000 == 0:
            self._ask(f"DELETE FROM counter WHERE NOT {LIVE}")  # noqa: S608
        return int(self._ask(COUNT, *(key, amount, expiry, expiry)))

    def get(self, key: str) -> int:
        """Return the value of a counter."""
        return int(self._live("value", key))

    def get_expiry(self, key: str) -> float:
        """Return when a counter begins anew, in seconds since 1970."""
        return self._live("expires", key) or time.time()

    def check(self) -> bool:
        """Tell whether counting works."""
        return bool(self._ask("SELECT 1"))

    def reset(self) -> int | None:
        """Forget all counters."""
        self._ask("DELETE FROM counter")
        return None

    def clear(self, key: str) -> None:
        """Forget one counter."""
        self._ask("DELETE FROM counter WHERE name = ?", key)

    def _live(self, column: str, key: str) -> float:
        live = f"SELECT {column} FROM counter WHERE name = ? AND {LIVE}"  # noqa: S608
        return self._ask(live, key)

    def _ask(self, statement: str, *values: str | float) -> float:
        """Return the number that a statement answers with; 0 when it answers with none."""
        with self._lock:
            try:
                row = self._open().execute(statement, values).fetchone()
            except sqlite3.Error as error:
                self._connection = None
                if getattr(error, "sqlite_errorcode", None) not in BROKEN:
                    raise
                # A power cut did it. It would refuse everybody until somebody took it away.
                for suffix in ("", "-wal", "-shm"):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                row = self._open().execute(statement, values).fetchone()
        return row[0] if row else 0

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if not self._path.exists():
                _make(self._path)
            self._connection = _connected(self._path)
        return self._connection


def _make(path: Path) -> None:
    # Two workers that made it in its place would refuse a caller: SQLite does not wait for
    # whoever changes the kind of journal.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    connection = _connected(draft)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER, expires REAL, seconds REAL)"
        " WITHOUT ROWID"
    )
    connection.close()
    put_in_place(draft, path)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
    # Nobody mourns a counter, so nothing waits for the disk.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def shared_file(database_url: str) -> Path:
    """Return the file in which all workers of this machine count for one database."""
    folder = Path(tempfile.gettempdir()) / f"identity-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ConfigurationError(f"{folder} belongs to somebody else. Set TMPDIR.")
    name = hashlib.sha256(database_url.encode()).hexdigest()[:16]
    # Not `limits`: the version before, which may still run, keeps a table of fewer columns there.
    return folder / f"counts-{name}.sqlite3"
