"""Excel workbooks: their sheets and cells, and those that would take all memory."""

import gzip
import io
from datetime import date, datetime, time

import pytest

from identity.errors import InvalidInput
from identity.importing.files import examine
from identity.importing.opening.room import LITTLE
from identity.importing.run import Source
from tests.bringing import cells_of, examined
from tests.packing import workbook, zipped

TABLE = [["email", "phone"], ["doc@hillvalley.edu", "555-4385"]]
READ = [(2, ["doc@hillvalley.edu", "555-4385"])]


def test_a_workbook_is_read_packed_or_not() -> None:
    book = workbook({"Customers": TABLE})

    assert cells_of(book) == READ
    assert cells_of(gzip.compress(book)) == READ
    file = examined(zipped({"a.xlsx": book}))
    assert str(file) == "plain, sheet “Customers” of an Excel workbook, packed with ZIP, 1 row"
    assert file.notes == ()


def test_cells_are_what_somebody_would_have_typed() -> None:
    cells = [
        (919876543210, "919876543210"),
        (12.5, "12.5"),
        (0.1 + 0.2, "0.3"),
        (1e20, "1E+20"),
        (True, "TRUE"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1), "2024-05-01"),  # noqa: DTZ001
        (datetime(2024, 5, 1, 9, 58, 12), "2024-05-01 09:58:12"),  # noqa: DTZ001
        (time(9, 58), "09:58:00"),
        (("=A1", "doc@hillvalley.edu"), "doc@hillvalley.edu"),
        (("=1/0", "#DIV/0!"), ""),
        (None, ""),
        ("'+4915112345678", "'+4915112345678"),
        ("two\nlines; “quoted”, “René”", "two\nlines; “quoted”, “René”"),
        ("0612345678", "0612345678"),
    ]
    given, expected = zip(*cells, strict=True)

    ((_, read),) = cells_of(workbook({"S": [[*given, "email"], [*given, "d@x.org"]]}))

    assert read == [*expected, "d@x.org"]


def test_rows_are_numbered_as_in_the_sheet() -> None:
    empty: list[str] = []
    rows = [empty, empty, ["", "", "Customers"], empty, ["", "", "email", "name"],
            ["", "", "d@x.org", "two\nlines"], empty, ["", "", "m@x.org", "Marty"]]  # fmt: skip

    file = examined(workbook({"S": rows}))

    assert list(file.rows()) == [(6, ["d@x.org", "two\nlines"]), (8, ["m@x.org", "Marty"])]
    assert file.notes == ("The header is line 5: 1 line above it left out, “Customers”.",)
    assert file.suspicious == {}


def test_the_first_sheet_that_is_a_table_is_read_and_the_others_are_named() -> None:
    book = workbook(
        {"About": [["Made by Doc"]], "Old": TABLE, "Empty": [], "New": TABLE, "More": TABLE},
        hidden="Old",
    )

    file = examined(book)

    assert "sheet “New” of an Excel workbook" in str(file)
    assert file.notes == ("Of the other sheets nothing was read: “About”, “Old” (hidden), “More”.",)


@pytest.mark.parametrize(
    ("book", "sentence"),
    [
        (workbook({"S": []}), "The workbook is empty"),
        (workbook({"S": [], "H": TABLE}, hidden="H"), "All sheets .* hidden or empty"),
        (workbook({"S": [["name", "age"]]}), r"No column with emails .* are: name, age\."),
        (workbook({"A": [["name", "age"]], "B": [["x", "y"]]}), "No sheet of the workbook is a"),
    ],
    ids=["empty", "hidden", "other", "others"],
)
def test_a_workbook_without_customers_says_so(book: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        examined(book)


def document(*names: str) -> bytes:
    return zipped({"[Content_Types].xml": b"<x/>", **dict.fromkeys(names, b"<x/>")})


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
CORNERS = (
    b'<row r="1"><c r="A1"><v>1</v></c></row>'
    b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>'
)


def with_sheet(sheet: bytes) -> bytes:
    """Return a workbook in which a sheet is replaced."""
    import zipfile

    with zipfile.ZipFile(io.BytesIO(workbook({"S": TABLE}))) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    return zipped(inside | {"xl/worksheets/sheet1.xml": sheet})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (document("word/document.xml"), "a Word document"),
        (document("ppt/presentation.xml"), "a presentation"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), r"\(\.ods\)"),
        (zipped({"Index/Document.iwa": b"x"}), "a Numbers or Pages document"),
        (document("xl/workbook.xml"), "The workbook is damaged"),
        (with_sheet(b"<not"), "The workbook is damaged"),
        (with_sheet(SHEET + CORNERS), "takes more than 2,048 MB of memory, or 10 minutes"),
    ],
    ids=["word", "powerpoint", "ods", "numbers", "nothing in it", "cut off", "endless"],
)
def test_what_cannot_be_read_says_why(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        examined(content)


def test_a_workbook_writes_no_more_than_there_is_room_for() -> None:
    book = workbook({"S": [TABLE[0], *([f"{n}@hillvalley.edu", "555-4385"] for n in range(1000))]})

    with pytest.raises(InvalidInput, match="takes more than"):
        examine("a.xlsx", lambda: io.BytesIO(book), room=LITTLE._replace(unpacked=10_000))


def test_a_cell_of_several_lines_is_no_torn_row() -> None:
    note = "before,555-4385,doc@hillvalley.edu\nnow,555-4386,doc@hillvalley.edu"
    book = workbook({"S": [["note", "phone", "email"], [note, "555-4385", "doc@hillvalley.edu"]]})

    (read,) = [read for _, read in Source(examined(book), None).first(1)]

    assert [call.email for call in read.calls] == ["doc@hillvalley.edu"]
    assert read.doubts == []
