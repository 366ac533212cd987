"""A file of customers: how it is packed, encoded and separated, and its rows.

The whole file is read once before anything is done with it, so that what cannot be read to its
end is refused while nothing has been written yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Self

from identity.counting import counted
from identity.errors import InvalidInput
from identity.importing import noting, surveying
from identity.importing.columns import Chosen, Columns, Unrecognised, choose
from identity.importing.inspecting import Inspection, is_header
from identity.importing.opening import archives, encodings, kinds, tables, workbooks
from identity.importing.opening.archives import Unpacked
from identity.importing.opening.room import AMPLE, Room
from identity.importing.opening.spool import Opened
from identity.importing.opening.steady import steady
from identity.importing.opening.tables import Table
from identity.importing.opening.texts import Row, Text
from identity.importing.opening.wording import shown
from identity.importing.opening.workbooks import Sheet
from identity.importing.rejects import restored

HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """A file that can be read to its end."""

    name: str
    text: Text
    table: Table
    how: str
    """How it is written, as people call it."""
    columns: Columns
    count: int = 0
    """How many rows it has, as `rows` yields them."""
    suspicious: Mapping[int, str] = field(default_factory=dict)
    """Lines of rows that are not to be trusted, and why."""
    notes: tuple[str, ...] = ()
    """What was left out, or may be wrong, of the file as a whole: a sentence each."""
    repeated: int = 0
    """How often the header comes again, among the rows."""
    summary: int = 0
    """The line of a last row that sums up, and is no customer; 0 when there is none."""

    @property
    def header(self) -> tuple[str, ...]:
        """The names of its columns, as it spells them."""
        return self.table.header

    @property
    def separator(self) -> str:
        """What stands between cells that are written as these are."""
        return "," if self.text.numbered else self.table.separator

    def rows(self) -> Iterator[Row]:
        """Yield the rows in their order, without the header, blank rows and halves of orders."""
        rows = self._below(self.text.rows(self.table.separator))
        if self.repeated or self.summary:
            header = list(self.header)
            rows = (row for row in rows if not is_header(row[1], header) and row[0] != self.summary)
        rows = restored(self.header, rows)
        return _whole(rows, self.columns) if self.columns.order else rows

    def _below(self, rows: Iterator[Row]) -> Iterator[Row]:
        for line, _ in rows:
            if line == self.table.line:
                break
        return rows

    def inspected(self, inspection: Inspection, chosen: Chosen) -> Self:
        """Return the same file, read once to its end."""
        through = iter if self.text.numbered else inspection.lines
        below = self._below(self.text.rows(self.table.separator, through))
        rows = restored(self.header, inspection.rows(below))
        survey, count = surveying.Survey(self.header, self.columns), 0
        whole = _whole(rows, self.columns) if self.columns.order else rows
        # Dates are looked at to the end. A call for each row is a tenth of the time.
        surveyed = whole if self.columns.created_at else islice(whole, surveying.LOOKED_AT)
        for _, cells in surveyed:
            survey.add(cells)
            count += 1
        count += sum(1 for _ in whole)
        return replace(
            self,
            count=count,
            columns=survey.columns(chosen),
            suspicious=inspection.suspicious,
            repeated=inspection.repeated,
            summary=inspection.summary[0] if inspection.summary else 0,
            notes=(*self.notes, *noting.of_rows(inspection)),
        )

    def __str__(self) -> str:
        return f"{self.columns.format}, {self.how}, {counted(self.count, 'row')}"


def examine(
    name: str, opened: Opened, chosen: Chosen | None = None, room: Room = AMPLE
) -> CustomerFile:
    """Return the file, read once to its end; raise `InvalidInput` with what is wrong with it."""
    chosen = chosen or Chosen()
    unpacked = archives.unpack(steady(opened), room)
    packed = "".join(f", packed with {how}" for how in unpacked.how)
    sheets = workbooks.read(unpacked.opened, room)
    if sheets is not None:
        return _of_sheets(name, sheets, packed, chosen)
    return _of_text(name, unpacked, packed, chosen)


def _of_text(name: str, unpacked: Unpacked, packed: str, chosen: Chosen) -> CustomerFile:
    with unpacked.opened() as opened:
        head = opened.read(HEAD)
    kinds.check_bytes(head)
    encoding = encodings.find(unpacked.opened, head)
    kinds.check_text(encoding.decode(head))
    text = Text(unpacked.opened, encoding.codec)
    table = tables.find(text, chosen)
    columns = _choose(text, table, chosen)
    separator = tables.SEPARATORS.get(table.separator, f"“{shown(table.separator)}”")
    how = f"{encoding.name}{packed}, separated by {separator}"
    notes = [*noting.of_table(table), *filter(None, [encoding.note])]
    if unpacked.cut:
        notes.append("The file ends in the middle: what it is packed in has no end.")
    file = CustomerFile(name, text, table, how, columns, notes=tuple(notes))
    inspection = Inspection(
        table,
        columns,
        ended=encoding.ended,
        closed=encoding.closed,
        cut=unpacked.cut,
        damaged=encoding.damaged > 0,
    )
    return file.inspected(inspection, chosen)


def _of_sheets(name: str, sheets: Sequence[Sheet], packed: str, chosen: Chosen) -> CustomerFile:
    """Return the first sheet that is a table of customers."""
    problems: list[InvalidInput] = []
    for sheet in sheets:
        if sheet.hidden or sheet.empty:
            continue
        try:
            text = Text(sheet.opened, "utf-8", numbered=True)
            table = tables.find(text, chosen)
            columns = _choose(text, table, chosen)
        except InvalidInput as problem:
            problems.append(problem)
            continue
        how = f"sheet “{shown(sheet.name)}” of an Excel workbook{packed}"
        notes = (*noting.of_sheets(sheets, sheet), *noting.of_table(table))
        file = CustomerFile(name, text, table, how, columns, notes=notes)
        inspection = Inspection(table, columns)
        return file.inspected(inspection, chosen)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise InvalidInput(f"No sheet of the workbook is a table of customers. {problems[0]}")
    hidden = any(sheet.hidden for sheet in sheets)
    raise InvalidInput(
        "All sheets of the workbook are hidden or empty." if hidden else "The workbook is empty."
    )


def _choose(text: Text, table: Table, chosen: Chosen) -> Columns:
    """Return what is read; where no name is known, say what the columns look like."""
    try:
        return choose(table.header, chosen)
    except Unrecognised:
        below = (cells for line, cells in text.rows(table.separator) if line > table.line)
        looks = surveying.overlooked(table.header, below)
        found = [each for each in looks if each.looks_like in surveying.LINKING]
        raise Unrecognised(table.header, found) from None


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
