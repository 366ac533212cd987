"""The rows of a file that are worth a closer look, found quickly and in memory of a fixed size.

Nothing slips through: whatever is shared by some who differ is kept, together with some that only
seem so, which a closer look lets go.
"""

from array import array
from collections.abc import Sequence
from zlib import crc32

from identity.fillers import FEW, looks_like_filler
from identity.identifiers import Kind, Value
from identity.importing.columns import Columns

SLOTS = 8
"""Places a row, so that few values have to share one."""
SMALLEST, LARGEST = 2**12, 2**25
FULL = 255
TELLING = 7
"""Last digits of a phone number: however it is written, these are the same."""
_NO_DIGITS = {code: None for code in range(128) if not chr(code).isdigit()}


def key(value: Value) -> Value:
    """Return what all spellings of a value have in common, if not only those."""
    if value.kind is Kind.EMAIL:
        return value
    return Value(Kind.PHONE, value.text.translate(_NO_DIGITS)[-TELLING:])


class Sieve:
    """Counts for each value how often somebody else than the last time told it."""

    def __init__(self, columns: Columns, rows: int, *, remembers: bool) -> None:
        """Expect that many rows. Who `remembers` keeps each that may be a filler, too."""
        self._columns = columns
        size = SMALLEST
        while size < min(rows * SLOTS, LARGEST):
            size *= 2
        self._mask = size - 1
        self._last = array("I", bytes(4 * size))
        self._counts = bytearray(size)
        self._remembers = remembers
        self.is_clean = True
        """Whether no row needs a closer look."""

    def add(self, cells: Sequence[str]) -> None:
        """Take a row."""
        keys = self._keys(cells)
        signature = self._signature(cells, keys)
        if not (signature or self._remembers):
            return
        for each in keys:
            place = crc32(each.text.encode()) & self._mask
            if signature and self._last[place] != signature:
                self._last[place] = signature
                if self._counts[place] < FULL:
                    self._counts[place] += 1
                    self.is_clean = self.is_clean and self._counts[place] < FEW
            if self._remembers and self.is_clean and looks_like_filler(each):
                self.is_clean = False

    def keeps(self, cells: Sequence[str]) -> bool:
        """Tell whether a row needs a closer look."""
        return any(map(self._keeps, self._keys(cells)))

    def keeps_value(self, value: Value) -> bool:
        """Tell whether a value does."""
        return self._keeps(key(value))

    def _keeps(self, each: Value) -> bool:
        if self._counts[crc32(each.text.encode()) & self._mask] >= FEW:
            return True
        return self._remembers and looks_like_filler(each) is not None

    def _keys(self, cells: Sequence[str]) -> list[Value]:
        columns = self._columns
        keys = [key(Value(Kind.PHONE, column.cell(cells))) for column in columns.phones]
        keys += (Value(Kind.EMAIL, column.cell(cells).lower()) for column in columns.emails)
        return [each for each in keys if each.text]

    def _signature(self, cells: Sequence[str], keys: Sequence[Value]) -> int:
        """Return what tells the row from those of other people; 0 when nothing does."""
        given = [each.text for each in keys]
        given.extend(filter(None, (column.cell(cells) for column in self._columns.name)))
        return (crc32("\0".join(given).encode()) or 1) if len(given) > 1 else 0
