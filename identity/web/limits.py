"""How much may be asked for: by key, and by address for whoever has none.

The counting is the library `limits`; what is ours is where it counts.
"""

import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from limits import RateLimitItem
from limits.strategies import FixedWindowRateLimiter

from identity.errors import TooManyRequests, Unavailable
from identity.web.counters import SharedStorage

SHARES = 100
"""A worker takes a hundredth of a large limit at a time, and lets as many through by itself."""
MOST = 10_000
"""Callers for whom it keeps what is left."""


class Limiter:
    """Counts what is asked for, and refuses when it is too much."""

    def __init__(self, path: Path) -> None:
        """Count in that file."""
        self._storage = SharedStorage(path)
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._taken: dict[str, tuple[int, float]] = {}
        """What this worker may still let through by itself, and until when (`time.monotonic`)."""
        self._owing: dict[str, float] = {}
        """Who has done too much, and until when (likewise) nothing more is let through."""
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Begin anew, for everybody."""
        self._taken.clear()
        self._owing.clear()
        self._storage.reset()

    def count(self, limit: RateLimitItem, who: str, cost: int = 1) -> None:
        """Count a call; raise `TooManyRequests` when there were too many.

        Raises `Unavailable` when it cannot be counted.
        """
        # Two threads that took a share at once would lose one of them.
        with self._lock:
            self._count(limit, who, cost)

    def count_all(self, limit: RateLimitItem, who: str, cost: int) -> None:
        """Count many calls at once. Where there is no room for all of them, none is counted."""
        with self._lock:
            left, until = self._taken.get(who, (0, 0.0))
            if time.monotonic() > until:
                left = 0
            used = min(left, cost)
            if used < cost:
                self._hit(limit, who, cost - used, whole=True)
            if used:
                self._taken[who] = left - used, until

    def _count(self, limit: RateLimitItem, who: str, cost: int) -> None:
        left, until = self._taken.get(who, (0, 0.0))
        if left >= cost and time.monotonic() < until:
            # Asking the file each time costs a sixth of a repeat.
            self._taken[who] = left - cost, until
            return
        taken = max(cost, limit.amount // SHARES)
        until = self._hit(limit, who, taken)
        if taken > cost:
            if len(self._taken) > MOST:
                self._taken.clear()
            self._taken[who] = taken - cost, until

    def _hit(self, limit: RateLimitItem, who: str, cost: int, *, whole: bool = False) -> float:
        """Count in the file, `whole` or not at all; return until when (`time.monotonic`)."""
        try:
            granted = not whole or self._limiter.test(limit, who, cost=cost)
            granted = granted and self._limiter.hit(limit, who, cost=cost)
            seconds = self._limiter.get_window_stats(limit, who).reset_time - time.time()
        except sqlite3.Error as error:
            raise Unavailable(f"Calls cannot be counted below {tempfile.gettempdir()}.") from error
        if not granted:
            if not whole:
                # A share may be left of when there was enough for all.
                self._taken.pop(who, None)
            raise TooManyRequests(
                "Too many requests in a short time. Try again later.",
                max(1, int(seconds) + 1),
            )
        return time.monotonic() + seconds

    def note(self, limit: RateLimitItem, who: str, cost: int) -> None:
        """Count what was done already. After too much of it `check` refuses what comes next."""
        try:
            self.count(limit, who, cost)
        except TooManyRequests as refused:
            if len(self._owing) > MOST:
                self._owing.clear()
            self._owing[who] = time.monotonic() + refused.retry_after

    def check(self, who: str, sentence: str) -> None:
        """Raise `TooManyRequests` with that sentence when somebody has done too much."""
        # Nearly everybody has not, and nothing is asked of the file for them.
        left = self._owing.get(who, 0.0) - time.monotonic()
        if left > 0:
            raise TooManyRequests(sentence, int(left) + 1)

    def pardon(self, limit: RateLimitItem, who: str) -> None:
        """Take back what was counted for somebody."""
        self._taken.pop(who, None)
        self._limiter.clear(limit, who)
