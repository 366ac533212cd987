"""The rows of a text that is separated by some character, and the lines on which they begin."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from secrets import token_hex

from identity.errors import InvalidInput
from identity.importing.opening.encodings import ERRORS
from identity.importing.opening.spool import Opened

Row = tuple[int, list[str]]
"""The line on which the row begins, counted from 1, and its cells."""

LARGEST_CELL = 4 * 2**20
"""Characters. A quote that is never closed would make the rest of the file one cell."""
END = f"end of the file {token_hex(8)}"
"""Read after the last line. Where it does not come back as a row, a quote was left open."""
QUIRK = "sep="
"""How spreadsheets begin the line by which they tell each other the separator."""

# For all of the process: nothing else in it reads CSV.
csv.field_size_limit(LARGEST_CELL)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in an encoding, which can be read as often as one likes."""

    opened: Opened = field(repr=False)
    codec: str
    numbered: bool = False
    """Whether rows are numbered rather than lines: those of a sheet, in which cells have lines."""

    @contextmanager
    def lines(self) -> Iterator[io.TextIOWrapper]:
        """Open it, for its lines with their ends."""
        # Line breaks are the CSV reader's business: inside quotes they are part of the value.
        with (
            self.opened() as file,
            io.TextIOWrapper(file, self.codec, ERRORS, newline="") as text,
        ):
            yield text

    def rows(
        self, separator: str, through: Callable[[Iterable[str]], Iterable[str]] = iter
    ) -> Iterator[Row]:
        """Yield the rows that are not blank, their lines passed `through` something."""
        ended: list[bool] = []
        line, cells = 1, [""]
        with self.lines() as text:
            reader = csv.reader(through(chain(text, _end(ended))), delimiter=separator)
            try:
                for cells in reader:
                    if ended:
                        break
                    if (cells and cells[0].strip()) or "".join(cells).strip():
                        yield line, cells
                    line = line + 1 if self.numbered else reader.line_num + 1
            except csv.Error as error:
                raise InvalidInput(_why(line, error)) from None
        if cells != [END]:
            if reader.line_num > line + 1:
                raise InvalidInput(f"A quoted value in line {line:,} is never closed.")
            # The last line: the file ends in the middle of it.
            yield line, [*cells[:-1], cells[-1].removesuffix(END)]


def _end(ended: list[bool]) -> Iterator[str]:
    ended.append(True)
    yield END


def _why(line: int, error: csv.Error) -> str:
    if "field larger" in str(error):
        return (
            f"A value in line {line:,} has more than {LARGEST_CELL // 2**20} million characters: "
            "a quote is never closed, perhaps."
        )
    return f"Line {line:,} cannot be read as CSV: {error}."
