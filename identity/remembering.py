"""Answers that are kept for a moment, so that asking often costs no statement each time."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

SECONDS = 5.0
"""How long an answer is kept. A revoked key may go on for that long."""
MOST = 1000
"""Answers that are kept at once."""

T = TypeVar("T")


class Remembered(Generic[T]):
    """Answers of one question, by the name it is asked about."""

    def __init__(self, ask: Callable[[str], T]) -> None:
        self._ask = ask
        self._answers: dict[str, tuple[float, T]] = {}

    def __call__(self, name: str) -> T:
        """Return the answer about a name, asking when there is none or it is old."""
        now = time.monotonic()
        asked, answer = self._answers.get(name, (-SECONDS, None))
        if now - asked < SECONDS:
            return answer  # type: ignore[return-value]
        if len(self._answers) > MOST:
            # Somebody is guessing; guesses must not fill the memory.
            self._answers.clear()
        fresh = self._ask(name)
        self._answers[name] = now, fresh
        return fresh

    def forget(self) -> None:
        """Ask afresh."""
        self._answers.clear()
