"""What is found while a file is read to its end: rows not to be trusted, and what are none."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from identity.counting import counted
from identity.errors import InvalidInput
from identity.identifiers import is_of_email, is_valid_phone_number
from identity.importing.columns import Columns
from identity.importing.opening.tables import Table
from identity.importing.opening.texts import END, Row

JOINED = "It reaches over several lines because a quote is not closed: perhaps these are two rows."
CUT = "The file ends in the middle of this row."
OPEN = "The file ends in the middle of this row: a quote is still open."
SHORT = "The file ends here, and this is shorter than any other phone number: it may be cut off."
TOO_MANY = 10_000
"""Rows with broken quotes: what made such a file knows nothing of CSV."""
COMPARED = 10_000
"""Rows whose phone numbers the last one is compared with."""
FEW = 3
"""Of so few nothing can be told."""
SUMMARY = re.compile(
    r"(grand |sub)?-?(total|sum|summe|gesamt|count|anzahl|rows?|records?)\b.{0,60}"
    r"|end of (file|report).{0,20}",
    re.IGNORECASE,
)


class Inspection:
    """Looks at the rows of a file as they pass, once."""

    def __init__(
        self, table: Table, columns: Columns, *, ended: bool, cut: bool, damaged: bool
    ) -> None:
        """Take whether the last line has an end, what held the file had none, and bytes are bad."""
        self._header, self._separator = list(table.header), table.separator
        self._columns = columns
        self._ended, self._cut, self._damaged = ended, cut, damaged
        self._lines: list[str] = []
        self.suspicious: dict[int, str] = {}
        self.repeated = 0
        self.summary: Row | None = None
        self.cells = 0
        """How many of them hold damage."""
        self._shortest, self._compared = 0, 0

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
                    self._compare(held[1])
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

    def _compare(self, cells: Sequence[str]) -> None:
        """Remember how short phone numbers are in the last column."""
        if self._compared < COMPARED and (number := self._last_number(cells)):
            self._compared += 1
            self._shortest = min(self._shortest or len(number), len(number))

    def _last_number(self, cells: Sequence[str]) -> str:
        last = len(self._header) - 1
        return next((each.cell(cells) for each in self._columns.phones if each.index == last), "")

    def _ends_with(self, last: Row, width: int) -> bool:
        """Look at the last row; tell whether it is one of a customer."""
        line, cells = last
        number = self._last_number(cells)
        if line in self.suspicious:
            return True
        if self._cut or (not self._ended and len(cells) < width):
            self.suspicious[line] = CUT
        elif number and not self._ended and self._is_short(number):
            self.suspicious[line] = SHORT
        elif self._sums_up(cells):
            self.summary = last
            return False
        return True

    def _is_short(self, number: str) -> bool:
        if self._compared >= FEW:
            return len(number) < self._shortest - 1
        # Few tell nothing; then its country does, in which numbers may be longer.
        shorter = not self._compared or len(number) < self._shortest
        return shorter and number.startswith("+") and not is_valid_phone_number(number)

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
