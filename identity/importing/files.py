"""A file of customers: how it is encoded and separated, and its rows.

The whole file is read once before anything is done with it, so that what cannot be read to its
end is refused while nothing has been written yet.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import BinaryIO

from identity.errors import InvalidInput
from identity.importing.columns import Chosen, Columns, choose, recognised

Opened = Callable[[], BinaryIO]
"""Opens the file for reading bytes, from its beginning, as often as it is called."""

HEAD = 64 * 1024
SEPARATORS = ",;\t|"
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}
END = "end of the file"
"""Read after the last line. Where it does not come back as a row, a quote was left open."""

Row = tuple[int, list[str]]
"""The line on which the row begins, counted from 1, and its cells."""


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """A file that can be read to its end."""

    name: str
    opened: Opened
    encoding: str
    separator: str
    header: tuple[str, ...]
    columns: Columns
    count: int
    """How many rows it has, as `rows` yields them."""
    suspicious: Mapping[int, str] = field(default_factory=dict)
    """Lines of rows that are not to be trusted, and why."""

    def rows(self) -> Iterator[Row]:
        """Yield the rows in their order, without the header, blank rows and halves of orders."""
        with _text(self.opened, self.encoding) as text:
            rows = _rows(text, self.separator)
            next(rows)
            yield from _whole(rows, self.columns) if self.columns.order else rows

    def __str__(self) -> str:
        separator = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[self.separator]
        encoding = NAMES[self.encoding]
        return f"{self.columns.format}, {encoding}, separated by {separator}, {self.count:,} rows"


def examine(name: str, opened: Opened, chosen: Chosen | None = None) -> CustomerFile:
    """Return the file, read once to its end; raise `InvalidInput` with what is wrong with it."""
    for encoding in _encodings(opened):
        try:
            separator, header = _begin(opened, encoding)
            columns = choose(header, chosen)
            file = CustomerFile(name, opened, encoding, separator, tuple(header), columns, 0)
            return replace(file, count=sum(1 for _ in file.rows()))
        except UnicodeError:
            continue
    raise InvalidInput("This file is not text in UTF-8, UTF-16 or Windows-1252.")


def _encodings(opened: Opened) -> Sequence[str]:
    try:
        with opened() as file:
            head = file.read(HEAD)
    except OSError as error:
        raise InvalidInput(f"The file cannot be read: {error.strerror}.") from None
    if not head.strip():
        raise InvalidInput("The file is empty.")
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return (encoding,)
    # In UTF-16 every other byte of English is zero; in no other text is any.
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if min(even, odd) == 0 and max(even, odd) > len(head) // 4:
        return ("utf-16-be" if even else "utf-16-le",)
    if even or odd or head.startswith((b"PK\x03\x04", b"%PDF", b"\x1f\x8b")):
        raise InvalidInput(
            "This is not a CSV file. If it is a spreadsheet, save it as CSV and import that."
        )
    return "utf-8", "cp1252"


@contextmanager
def _text(opened: Opened, encoding: str) -> Iterator[io.TextIOWrapper]:
    # Line breaks are the CSV reader's business: inside quotes they are part of the value.
    with opened() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
        yield text


def _begin(opened: Opened, encoding: str) -> tuple[str, list[str]]:
    """Return the separator under which the header makes most sense, and the header."""

    def header(separator: str) -> list[str]:
        with _text(opened, encoding) as text:
            for _, cells in _rows(text, separator):
                return cells
        raise InvalidInput("The file is empty.")

    headers = {separator: header(separator) for separator in SEPARATORS}
    best = max(headers, key=lambda each: (recognised(headers[each]), len(headers[each])))
    return best, headers[best]


def _is_quirk(cells: list[str]) -> bool:
    """Tell whether this is the line "sep=;" by which spreadsheets tell each other the separator."""
    return cells[0].startswith("sep=") and len("".join(cells)) <= len("sep=;")


def _whole(rows: Iterator[Row], columns: Columns) -> Iterator[Row]:
    """Yield the rows that begin an order. Its further items follow, without the customer."""
    assert columns.order
    before = ""
    identifying = (*columns.emails, *columns.phones)
    for line, cells in rows:
        order = columns.order.cell(cells)
        if not order or order != before or any(column.cell(cells) for column in identifying):
            yield line, cells
        before = order


def _rows(text: io.TextIOWrapper, separator: str) -> Iterator[Row]:
    reader = csv.reader(chain(text, (END,)), delimiter=separator)
    line, last = 1, None
    try:
        for cells in reader:
            # What was read last is held back, because the very last is ours.
            if last is not None:
                yield last
            last = None
            if "".join(cells).strip() and not (line == 1 and _is_quirk(cells)):
                last = (line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(f"Line {line} cannot be read as CSV: {error}.") from None
    if last is None or last[1] != [END]:
        begun = last[0] if last else line
        raise InvalidInput(f"A quoted value in line {begun} is never closed.")
