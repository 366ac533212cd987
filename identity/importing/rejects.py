"""The rows that cannot be used, as a CSV file that can be mended and imported again."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import BinaryIO, Self

LINE, REASON = "rejected_line", "rejected_because"
"""The columns before those of the file itself."""


class Rejects:
    """Writes rejected rows below the header of their file. Makes no file when there are none."""

    def __init__(self, header: Sequence[str], opened: Callable[[], BinaryIO] | None) -> None:
        """Write to what `opened` returns; None keeps nothing."""
        self._header = header
        self._opened = opened
        self._text: io.TextIOWrapper | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._text is not None:
            self._text.close()

    def flush(self) -> None:
        """Make sure that all rows are in the file."""
        if self._text is not None:
            self._text.flush()

    def add(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Write a row with its line in the file and what is wrong with it."""
        if self._opened is None:
            return
        if self._text is None:
            self._text = io.TextIOWrapper(self._opened(), encoding="utf-8", newline="")
            csv.writer(self._text).writerow([LINE, REASON, *self._header])
        csv.writer(self._text).writerow([line, reason, *cells])
