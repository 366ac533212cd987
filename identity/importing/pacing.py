"""How much of a file is one transaction.

While it lasts, whoever tells of the same customers waits for it, and on SQLite everybody who
writes. They are promised an answer within five seconds, on a machine that may be busy, too.
"""

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
LEAST, MOST = 500, 20_000
"""Calls in one transaction. Fewer cost more than they spare; with more the memory grows."""
AIM = 0.4
"""Seconds that a transaction is to take, of this thread's own work."""
LONGEST = 1.2
"""Seconds that it may last, whoever else has the machine or does its work elsewhere."""
GROWTH = 2.0
"""How many times as many there are the next time, at most: what is easy may be over."""


class Pace:
    """Divides calls so that each part takes about as long, going by the part before."""

    def __init__(self) -> None:
        self._size = 2 * LEAST

    def parts(self, calls: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield the calls part after part, and look how long each is worked on."""
        done = 0
        while done < len(calls):
            part = calls[done : done + self._size]
            done += len(part)
            begun, worked = time.monotonic(), time.thread_time()
            yield part
            self.took(len(part), time.monotonic() - begun, time.thread_time() - worked)

    def took(self, calls: int, seconds: float, work: float = 0.0) -> None:
        """Hear how long so many calls took, and how much of that was work of this thread."""
        share = max(work / AIM, seconds / LONGEST)
        # What a few calls take says little of many, unless it is too long.
        if calls >= LEAST or share > 1:
            fitting = min(calls / max(share, 0.001), GROWTH * self._size)
            self._size = round(max(LEAST, min(fitting, MOST)))
