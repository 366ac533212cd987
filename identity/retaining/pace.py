"""How much is removed in one step: so much that nobody waits for it longer than an instant."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

FIRST, LEAST, MOST = 500, 100, 10_000
"""Rows."""
BRIEF, LONG = 0.1, 0.3
"""Seconds of a step: shorter, and the next takes twice as much; longer, and it takes half."""


class Pace:
    """The steps of a sweep, each followed by a rest for others of the same length."""

    def __init__(self) -> None:
        self.rows = FIRST

    @contextmanager
    def step(self) -> Iterator[None]:
        """Time a step, and let others work after it."""
        begun = time.monotonic()
        yield
        took = time.monotonic() - begun
        if took < BRIEF:
            self.rows = min(2 * self.rows, MOST)
        elif took > LONG:
            self.rows = max(self.rows // 2, LEAST)
        time.sleep(min(took, 1))
