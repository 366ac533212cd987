"""How much may be asked for: by key, and by address for whoever has none.

The counting is the library `limits`; what is ours is where it counts: in a small SQLite file
that all workers of this machine share, and that may be lost without harm.
"""

import hashlib
import os
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from identity.errors import ConfigurationError, TooManyRequests, Unavailable

MISS = 10
"""What a look-up that finds nothing counts for: guessing identifiers is mostly missing."""
REFUSED = 5
"""What a call with a wrong key counts for."""


class SharedStorage(Storage):
    """Counters in an SQLite file."""

    STORAGE_SCHEME = None

    def __init__(self, path: Path) -> None:
        """Count in that file, making it when it is not there."""
        super().__init__()
        self._path = path
        self._local = threading.local()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong while counting."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter, which begins anew when it has expired; return its value."""
        now = time.time()
        (value,) = (
            self._connection()
            .execute(
                "INSERT INTO counter (name, value, expires) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET"
                " value = excluded.value + CASE WHEN expires > ? THEN value ELSE 0 END,"
                " expires = CASE WHEN expires > ? THEN expires ELSE excluded.expires END"
                " RETURNING value",
                (key, amount, now + expiry, now, now),
            )
            .fetchone()
        )
        return int(value)

    def get(self, key: str) -> int:
        """Return the value of a counter."""
        return int(self._column(key, "value"))

    def get_expiry(self, key: str) -> float:
        """Return when a counter begins anew, in seconds since 1970."""
        return self._column(key, "expires") or time.time()

    def check(self) -> bool:
        """Tell whether counting works."""
        return bool(self._connection().execute("SELECT 1").fetchone())

    def reset(self) -> int | None:
        """Forget all counters."""
        return self._connection().execute("DELETE FROM counter").rowcount

    def clear(self, key: str) -> None:
        """Forget one counter."""
        self._connection().execute("DELETE FROM counter WHERE name = ?", (key,))

    def _column(self, key: str, column: str) -> float:
        row = (
            self._connection()
            .execute(
                f"SELECT {column} FROM counter WHERE name = ? AND expires > ?",  # noqa: S608
                (key, time.time()),
            )
            .fetchone()
        )
        return row[0] if row else 0

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            try:
                connection = self._connect()
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                # A power cut broke it. It would refuse everybody until somebody took it away.
                self._path.unlink(missing_ok=True)
                connection = self._connect()
            self._local.connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=5)
        connection.execute("PRAGMA journal_mode = WAL")
        # Nobody mourns a counter, so nothing waits for the disk.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS counter"
            " (name TEXT PRIMARY KEY, value INTEGER, expires REAL) WITHOUT ROWID"
        )
        connection.execute("DELETE FROM counter WHERE expires < ?", (time.time(),))
        return connection


def shared_file(database_url: str) -> Path:
    """Return the file in which all workers of this machine count for one database."""
    folder = Path(tempfile.gettempdir()) / f"identity-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ConfigurationError(f"{folder} belongs to somebody else. Set TMPDIR.")
    name = hashlib.sha256(database_url.encode()).hexdigest()[:16]
    return folder / f"limits-{name}.sqlite3"


class Limiter:
    """Counts what is asked for, and refuses when it is too much."""

    def __init__(self, path: Path) -> None:
        """Count in that file."""
        self._storage = SharedStorage(path)
        self._limiter = FixedWindowRateLimiter(self._storage)

    def forget(self) -> None:
        """Begin anew, for everybody."""
        self._storage.reset()

    def count(self, limit: RateLimitItem, who: str, cost: int = 1) -> None:
        """Count a call; raise `TooManyRequests` when there were too many.

        Raises `Unavailable` when it cannot be counted.
        """
        try:
            if self._limiter.hit(limit, who, cost=cost):
                return
            reset, _ = self._limiter.get_window_stats(limit, who)
        except sqlite3.Error as error:
            raise Unavailable(f"Calls cannot be counted below {tempfile.gettempdir()}.") from error
        raise TooManyRequests(
            "Too many requests in a short time. Try again later.",
            max(1, int(reset - time.time()) + 1),
        )

    def pardon(self, limit: RateLimitItem, who: str) -> None:
        """Take back what was counted for somebody."""
        self._limiter.clear(limit, who)
