"""Calls that were sent together, told one after another."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from identity import database
from identity.batching import taking
from identity.deciding import Call, Decided
from identity.errors import Contended, Unavailable
from identity.models import EventKind

T = TypeVar("T")
PART = 50
"""Calls in one transaction. Whoever else wants to write waits for one of these, and not for all."""


@dataclass(slots=True)
class Told:
    """What became of calls that were told together. They are known by their lines."""

    left_out: dict[int, Unavailable] = field(default_factory=dict)
    """Those that could not be decided, and why. Nothing of them was told."""
    lines: set[int] = field(default_factory=set)
    """Those that said something which their source had not said before."""
    news: set[int] = field(default_factory=set)
    """Those that brought what nobody had told before."""
    kinds: Counter[EventKind] = field(default_factory=Counter)
    """What was written to the ledger."""
    contacts: int = 0
    """How many contacts were made."""

    def add(self, decided: Decided) -> None:
        """Note what a part brought."""
        self.lines |= decided.told
        self.news |= decided.news
        self.kinds.update(line.kind for line in decided.lines)
        self.contacts += len(decided.contacts)


def tell(calls: Sequence[Call], source: str) -> Told:
    """Tell calls in their order, and return what became of them.

    Each has a line of its own. What was told is durable when it returns. Calls that others keep in
    the way of are left out, and so are all that follow when the database goes away or patience
    ends. Raise `Unavailable` when nothing could be told.
    """
    telling = _Telling(source)
    for part in parts(calls):
        telling.tell(part)
    told = telling.told
    if calls and len(told.left_out) == len(calls):
        raise told.left_out[calls[0].line]
    return told


class _Telling:
    """Tells calls for as long as there is patience."""

    def __init__(self, source: str) -> None:
        self.told = Told()
        self._source = source
        self._deadline = time.monotonic() + database.PATIENCE
        self._gone: Unavailable | None = None

    def tell(self, calls: Sequence[Call]) -> None:
        """Tell a part; in halves and halves of those where others are busy with its customers."""
        problem = self._gone
        if problem is None:
            try:
                decided, _ = taking.take(calls, self._source)
            except Unavailable as unavailable:
                problem = unavailable
            else:
                self.told.add(decided)
                return
        if not isinstance(problem, Contended) or time.monotonic() > self._deadline:
            self._gone = problem
        if self._gone or len(calls) == 1:
            self.told.left_out.update((call.line, problem) for call in calls)
            return
        middle = len(calls) // 2
        for half in calls[:middle], calls[middle:]:
            self.tell(half)


def parts(calls: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield what is to be done part after part, and let others have the process in between."""
    for first in range(0, len(calls), PART):
        if first:
            time.sleep(0)
        yield calls[first : first + PART]
