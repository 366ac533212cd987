"""Archives and workbooks, made up from what is to be in them."""

import io
import zipfile
from typing import Any

import xlsxwriter

Sheets = dict[str, list[list[Any]]]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return content.getvalue()


def workbook(sheets: Sheets, hidden: str = "") -> bytes:
    """Return a workbook; None is an empty cell, and a tuple a formula with its value."""
    content = io.BytesIO()
    options = {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"}
    with xlsxwriter.Workbook(content, options) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name == hidden:
                sheet.hide()
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, tuple):
                        sheet.write_formula(row, column, cell[0], None, cell[1])
                    else:
                        sheet.write(row, column, cell)
    return content.getvalue()
