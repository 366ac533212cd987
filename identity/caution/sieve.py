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


def key(value: Value) -> str:
    """Return what all spellings of a value have in common, if not only those."""
    return value.text if value.kind is Kind.EMAIL else value.text.translate(_NO_DIGITS)[-TELLING:]


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
        if signature is None and not self._remembers:
            return
        for each in keys:
            place = crc32(each.encode()) & self._mask
            # Who has no name is told from others by all that the row gives.
            if signature is not None and self._last[place] != signature:
                self._last[place] = signature
                if self._counts[place] < FULL:
                    self._counts[place] += 1
                    self.is_clean = self.is_clean and self._counts[place] < FEW
            if self._remembers and self.is_clean and _may_be_filler(each):
                self.is_clean = False

    def keeps(self, cells: Sequence[str]) -> bool:
        """Tell whether a row needs a closer look."""
        return any(map(self._keeps, self._keys(cells)))

    def keeps_value(self, value: Value) -> bool:
        """Tell whether a value does."""
        return self._keeps(key(value))

    def _keeps(self, each: str) -> bool:
        if self._counts[crc32(each.encode()) & self._mask] >= FEW:
            return True
        return self._remembers and _may_be_filler(each)

    def _keys(self, cells: Sequence[str]) -> list[str]:
        columns = self._columns
        keys = [column.cell(cells).translate(_NO_DIGITS)[-TELLING:] for column in columns.phones]
        if columns.email:
            keys.append(columns.email.cell(cells).lower())
        return [each for each in keys if each]

    def _signature(self, cells: Sequence[str], keys: Sequence[str]) -> int | None:
        """Return what tells the row from those of other people."""
        name = "".join(column.cell(cells) for column in self._columns.name)
        if name:
            return crc32(name.encode()) or 1
        return (crc32("\0".join(keys).encode()) or 1) if len(keys) > 1 else None


def _may_be_filler(each: str) -> bool:
    kind = Kind.EMAIL if "@" in each else Kind.PHONE
    return looks_like_filler(Value(kind, each)) is not None
