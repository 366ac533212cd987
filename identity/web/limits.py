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
from itertools import count
from pathlib import Path

from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from identity.config import put_in_place
from identity.errors import ConfigurationError, TooManyRequests, Unavailable

MISS = 10
"""What a look-up that finds nothing counts for: guessing identifiers is mostly missing."""
REFUSED = 5
"""What a call with a wrong key counts for."""
SHARES = 100
"""A worker takes a hundredth of a large limit at a time, and lets as many through by itself."""
MOST = 10_000
"""Callers for whom it keeps what is left."""
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


class Limiter:
    """Counts what is asked for, and refuses when it is too much."""

    def __init__(self, path: Path) -> None:
        """Count in that file."""
        self._storage = SharedStorage(path)
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._taken: dict[str, tuple[int, float]] = {}
        """What this worker may still let through by itself, and until when."""
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Begin anew, for everybody."""
        self._taken.clear()
        self._storage.reset()

    def count(self, limit: RateLimitItem, who: str, cost: int = 1) -> None:
        """Count a call; raise `TooManyRequests` when there were too many.

        Raises `Unavailable` when it cannot be counted.
        """
        # Two threads that took a share at once would lose one of them.
        with self._lock:
            self._count(limit, who, cost)

    def _count(self, limit: RateLimitItem, who: str, cost: int) -> None:
        left, until = self._taken.get(who, (0, 0.0))
        if left >= cost and time.time() < until:
            # Asking the file each time costs a sixth of a repeat.
            self._taken[who] = left - cost, until
            return
        taken = max(cost, limit.amount // SHARES)
        try:
            granted = self._limiter.hit(limit, who, cost=taken)
            if granted and taken == cost:
                return
            reset, _ = self._limiter.get_window_stats(limit, who)
        except sqlite3.Error as error:
            raise Unavailable(f"Calls cannot be counted below {tempfile.gettempdir()}.") from error
        if not granted:
            raise TooManyRequests(
                "Too many requests in a short time. Try again later.",
                max(1, int(reset - time.time()) + 1),
            )
        if len(self._taken) > MOST:
            self._taken.clear()
        self._taken[who] = taken - cost, reset

    def pardon(self, limit: RateLimitItem, who: str) -> None:
        """Take back what was counted for somebody."""
        self._taken.pop(who, None)
        self._limiter.clear(limit, who)
