"""Counters that all workers of this machine share: a small SQLite file.

It may be lost without harm.
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
        now = time.time()
        if next(self._counted) % 1000 == 0:
            self._ask("DELETE FROM counter WHERE expires < ?", now)
        return int(
            self._ask(
                "INSERT INTO counter (name, value, expires) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET"
                " value = excluded.value + CASE WHEN expires > ? THEN value ELSE 0 END,"
                " expires = CASE WHEN expires > ? THEN expires ELSE excluded.expires END"
                " RETURNING value",
                *(key, amount, now + expiry, now, now),
            )
        )

    def get(self, key: str) -> int:
        """Return the value of a counter."""
        live = "SELECT value FROM counter WHERE name = ? AND expires > ?"
        return int(self._ask(live, key, time.time()))

    def get_expiry(self, key: str) -> float:
        """Return when a counter begins anew, in seconds since 1970."""
        live = "SELECT expires FROM counter WHERE name = ? AND expires > ?"
        return self._ask(live, key, time.time()) or time.time()

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
        "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER, expires REAL) WITHOUT ROWID"
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
    return folder / f"limits-{name}.sqlite3"
