"""The rows of which something cannot be used, as a CSV file that can be mended and imported again.

It is made to be opened in a spreadsheet and saved there: it says that it is UTF-8, it is separated
as the file it is of, and its cells are guarded against what a spreadsheet makes of texts. Whoever
reads it again, reads what the file said: it may be mended and imported any number of times.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Self

from identity import formulas
from identity.importing.columns import plain

LINE, REASON = "rejected_line", "rejected_because"
"""The columns before those of the file itself."""
OURS = {plain(LINE), plain(REASON)}
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for what its country used before."""


class Rejects:
    """Writes rejected rows below the header of their file. Makes no file when there are none."""

    def __init__(
        self,
        header: Sequence[str],
        opened: Callable[[], BinaryIO] | None,
        separator: str = ",",
    ) -> None:
        """Write to what `opened` returns; None keeps nothing."""
        names = formulas.all_unguarded(header) if is_ours(header) else header
        self._ours = {place for place, name in enumerate(header) if plain(name) in OURS}
        self._names = self._without_ours(names)
        self._opened = opened
        self._separator = separator
        self._out: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._out is not None:
            self._out.close()

    def flush(self) -> None:
        """Make sure that all rows are in the file."""
        if self._out is not None:
            self._out.flush()

    def add(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Write a row with its line in the file and what is wrong with it. May raise OSError."""
        if self._opened is None:
            return
        if self._out is None:
            self._out = self._opened()
            self._out.write(BYTE_ORDER_MARK.encode())
            self._write([LINE, REASON, *map(formulas.kept, self._names)])
        kept = map(formulas.kept, self._without_ours(cells))
        self._write([str(line), formulas.guarded(reason), *kept])

    def _without_ours(self, cells: Sequence[str]) -> Sequence[str]:
        if not self._ours:
            return cells
        return [cell for place, cell in enumerate(cells) if place not in self._ours]

    def _write(self, cells: Sequence[str]) -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator).writerow(cells)
        assert self._out is not None
        self._out.write(_encoded(text.getvalue()))


def _encoded(text: str) -> bytes:
    try:
        # What was no text in the file is the same bytes again, and as much in doubt.
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def is_ours(header: Iterable[str]) -> bool:
    """Tell whether a file with that header holds rows that were rejected here."""
    return {plain(name) for name in header} >= OURS


def restored(
    header: Sequence[str], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    """Return the rows of any file as they were before they were guarded here, if they were."""
    if not is_ours(header):
        return rows
    return ((line, formulas.all_unguarded(cells)) for line, cells in rows)
