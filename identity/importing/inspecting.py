"""What is found while a file is read to its end: rows not to be trusted, and what are none."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from identity.counting import counted
from identity.errors import InvalidInput
from identity.identifiers import is_of_email
from identity.importing.columns import Columns
from identity.importing.endings import LastColumn
from identity.importing.opening.tables import Table
from identity.importing.opening.texts import END, Row

JOINED = "It reaches over several lines because a quote is not closed: perhaps these are two rows."
CUT = "The file ends in the middle of this row."
OPEN = "The file ends in the middle of this row: a quote is still open."
TOO_MANY = 10_000
"""Rows with broken quotes: what made such a file knows nothing of CSV."""
SUMMARY = re.compile(
    r"(grand |sub)?-?(total|sum|summe|gesamt|count|anzahl|rows?|records?)\b.{0,60}"
    r"|end of (file|report).{0,20}",
    re.IGNORECASE,
)


class Inspection:
    """Looks at the rows of a file as they pass, once."""

    def __init__(
        self,
        table: Table,
        columns: Columns,
        *,
        ended: bool = True,
        closed: bool = False,
        cut: bool = False,
        damaged: bool = False,
    ) -> None:
        """Take whether the last line has an end or the last cell a quote, and what else is wrong.

        `cut` says that what held the file had no end, `damaged` that bytes of it are bad.
        """
        self._header, self._separator = list(table.header), table.separator
        self._columns = columns
        self._ended, self._closed = ended, closed
        self._cut, self._damaged = cut, damaged
        self._last = LastColumn(table.header, columns)
        self._lines: list[str] = []
        self.suspicious: dict[int, str] = {}
        self.repeated = 0
        self.summary: Row | None = None
        self.cells = 0
        """How many of them hold damage."""

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines, and remember those of the row that they become."""
        remember = self._lines.append
        for line in lines:
            remember(line)
            yield line

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows below the header that are about customers."""
        header, lines, width = self._header, self._lines, len(self._header)
        held, last = None, header[-1]
        lines.clear()
        for row in rows:
            cells = row[1]
            if len(lines) > 1:
                self._look_at_lines(row[0])
            lines.clear()
            if self._damaged:
                self._look_for_damage(cells)
            if cells[-1] == last and is_header(cells, header):
                self.repeated += 1
                continue
            if held is not None:
                width = len(held[1])
                if not self._ended:
                    self._last.add(held[1])
                yield held
            held = row
        if held is not None and self._ends_with(held, min(width, len(header))):
            yield held

    def _look_at_lines(self, line: int) -> None:
        if self._lines[-1] is END:
            self.suspicious[line] = OPEN
            return
        try:
            for _ in csv.reader(self._lines, delimiter=self._separator, strict=True):
                pass
        except csv.Error:
            self.suspicious[line] = JOINED
        if len(self.suspicious) > TOO_MANY:
            raise InvalidInput(
                f"Quotes are not closed in more than {counted(TOO_MANY, 'row')}, by line "
                f"{line:,}: this file was not written as CSV."
            )

    def _look_for_damage(self, cells: Sequence[str]) -> None:
        self.cells += sum(any(map(is_damage, cell)) for cell in cells)

    def _ends_with(self, last: Row, width: int) -> bool:
        """Look at the last row; tell whether it is one of a customer."""
        line, cells = last
        if line in self.suspicious:
            return True
        if self._cut or (not self._ended and len(cells) < width):
            self.suspicious[line] = CUT
        elif not self._ended and not self._closed and (doubt := self._last.doubt(cells)):
            self.suspicious[line] = doubt
        elif self._sums_up(cells):
            self.summary = last
            return False
        return True

    def _sums_up(self, cells: Sequence[str]) -> bool:
        first = next(cell.strip() for cell in cells if cell.strip())
        told = [each.cell(cells) for each in (*self._columns.emails, *self._columns.phones)]
        # There are customers called total@example.com.
        if is_of_email(first):
            return False
        return bool(SUMMARY.fullmatch(first)) and not any(set(told) - {"", first})


def is_header(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Tell whether a row is the header again, as where files were joined to one."""
    # Most rows differ in the first cell.
    if cells[0].removeprefix("\ufeff") != header[0]:
        return False
    return cells[1:] == header[1:]


def is_damage(character: str) -> bool:
    """Tell whether a character stands for what could not be decoded."""
    return "\ud800" <= character <= "\udfff"
