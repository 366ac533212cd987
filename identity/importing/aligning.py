"""Whether the cells of a row stand below their headers.

A comma in a name without quotes moves all cells after it, and a quote that nobody closed makes one
row of two. What is in the columns then may be somebody else's, and would join strangers.
"""

from collections.abc import Sequence

from identity.identifiers import is_of_email
from identity.importing.columns import Columns

JOINED = (
    "these are two rows that a quotation mark without its partner has made one of. "
    "Remove the mark, or write it twice."
)
SHIFTED = (
    "this row has more cells than there are columns, and what it holds does not stand below its "
    "headers. Put quotation marks around the value with a separator in it."
)
LONGER = (
    "this row has more cells than there are columns. What stands below the headers is used; "
    "look whether that is right."
)
TELLING = 5
"""Digits from which a text may be a phone number."""


def has_more(cells: Sequence[str], width: int) -> bool:
    """Tell whether there is something beyond the columns."""
    return any(map(str.strip, cells[width:]))


def is_shifted(cells: Sequence[str], columns: Columns) -> bool:
    """Tell whether what belongs into a column may stand to its right.

    As many places as the row has more: there a value stands that a missing quote has moved.
    """
    more = len(cells) - columns.width
    for column in columns.phones:
        if any(map(_may_be_phone, cells[column.index + 1 : column.index + more + 1])):
            return True
    for column in columns.emails:
        if any(map(is_of_email, cells[column.index + 1 : column.index + more + 1])):
            return True
    return False


def is_joined(cells: Sequence[str], columns: Columns, separator: str) -> bool:
    """Tell whether a cell holds the end of one row and the beginning of the next."""
    text = "".join(cells)
    if not separator or ("\n" not in text and "\r" not in text):
        return False
    return any(
        _joins(place, cell, cells, columns, separator)
        for place, cell in enumerate(cells)
        if separator in cell and len(cell.splitlines()) > 1
    )


def _joins(place: int, cell: str, cells: Sequence[str], columns: Columns, separator: str) -> bool:
    lines = [line for line in cell.splitlines() if line.strip()]
    if len(lines) < 2:
        return False
    width = columns.width
    before, after = place + 1, len(cells) - place
    if before + lines[0].count(separator) < width or after + lines[-1].count(separator) < width:
        return False
    head = [*cells[:place], *lines[0].split(separator)]
    tail = [*lines[-1].split(separator), *cells[place + 1 :]]
    # A note of several lines has as many separators only by chance, and then no one's address in
    # the right place.
    return _tells(head, columns) and _tells(tail, columns)


def _tells(cells: Sequence[str], columns: Columns) -> bool:
    return any(is_of_email(column.cell(cells)) for column in columns.emails) or any(
        _may_be_phone(column.cell(cells)) for column in columns.phones
    )


def _may_be_phone(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= TELLING and not any(map(str.isalpha, text))
