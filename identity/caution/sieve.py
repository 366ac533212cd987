"""The rows of a file that are worth a closer look, found quickly and in memory of a fixed size.

Nothing slips through: whatever is shared by some who differ is kept, together with some that only
seem so, which a closer look lets go.
"""

from array import array
from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from identity.deciding import Call
from identity.fillers import FEW, looks_like_filler
from identity.identifiers import Value

SLOTS = 8
"""Places a row, so that few values have to share one."""
SMALLEST, LARGEST = 2**12, 2**25
FULL = 255
SIGNATURE = 2**32 - 1


def rows_of(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """Yield the calls of each row together."""
    for _, row in groupby(calls, attrgetter("line")):
        yield list(row)


class Sieve:
    """Counts for each value how often somebody else than the last time told it."""

    def __init__(self, rows: int, *, remembers: bool) -> None:
        """Expect that many rows. Who `remembers` keeps each that may be a filler, too."""
        size = SMALLEST
        while size < min(rows * SLOTS, LARGEST):
            size *= 2
        self._mask = size - 1
        self._last = array("I", bytes(4 * size))
        self._counts = bytearray(size)
        self._remembers = remembers
        self.is_clean = True
        """Whether no row needs a closer look."""

    def add(self, calls: Sequence[Call]) -> None:
        """Take the calls of some rows."""
        seen: set[int] = set()
        # A function that says nothing: a line that was not seen yet is added, and not named.
        several = {call.line for call in calls if call.line in seen or seen.add(call.line)}  # type: ignore[func-returns-value]
        mask, last, counts, most = self._mask, self._last, self._counts, 0
        for values, told in self._tellings(calls, several):
            signature = hash(told) & SIGNATURE or 1
            for text in values:
                # A text knows its hash, once it was asked for it.
                if text and last[place := hash(text) & mask] != signature:
                    last[place] = signature
                    if counts[place] < FULL:
                        counts[place] = count = counts[place] + 1
                        most = max(most, count)
        self.is_clean = self.is_clean and most < FEW
        if self._remembers and self.is_clean:
            values_of = (value for call in calls for value in call.values())
            self.is_clean = not any(map(looks_like_filler, values_of))

    def _tellings(
        self, calls: Iterable[Call], several: Container[int]
    ) -> Iterator[tuple[Iterable[str | None], Hashable]]:
        """Yield of each row its values, and all that tells it from those of other people."""
        for call in calls:
            email, phone_number, _, line, _, name = call
            # An email alone is whoever's it is.
            if line not in several and (email or name) and (phone_number or name):
                yield (email, phone_number), (email, phone_number, name)
        for row in rows_of(call for call in calls if call.line in several):
            values = dict.fromkeys(value.text for call in row for value in call.values())
            yield values, (*values, row[0].name)

    def kept(self, calls: Sequence[Call]) -> list[Call]:
        """Return the calls of the rows that need a closer look."""
        lines = {call.line for call in calls if any(map(self.keeps, call.values()))}
        return [call for call in calls if call.line in lines]

    def keeps(self, value: Value) -> bool:
        """Tell whether a value does."""
        if self._counts[hash(value.text) & self._mask] >= FEW:
            return True
        return self._remembers and looks_like_filler(value) is not None
