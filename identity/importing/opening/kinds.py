"""What a file is when it is no table: told by its first bytes, never by its name."""

import re

from identity.errors import InvalidInput

GZIP, ZIP, OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
EMPTY_ZIP = b"PK\x05\x06"
PROTECTED = "EncryptedPackage".encode("utf-16-le")
"""What a workbook with a password is called in the container that it is in."""

AS_CSV = "Open it in a spreadsheet, save it as .xlsx or CSV, and import that."
EXPORT = "Export the customers as CSV from there, and import that."
UNPACK = "Unpack it, and import the file that is in it."
PICTURE = "an image", EXPORT
BINARY: tuple[tuple[bytes, tuple[str, str]], ...] = (
    (b"%PDF", ("a PDF document", EXPORT)),
    (b"\x89PNG", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
    (b"II*\0", PICTURE),
    (b"MM\0*", PICTURE),
    (b"SQLite format 3\0", ("an SQLite database", EXPORT)),
    (b"PAR1", ("a Parquet file", EXPORT)),
    (b"ARROW1", ("an Arrow file", EXPORT)),
    (b"Obj\x01", ("an Avro file", EXPORT)),
    (b"BZh", ("packed with bzip2", UNPACK)),
    (b"\xfd7zXZ\0", ("packed with xz", UNPACK)),
    (b"\x28\xb5\x2f\xfd", ("packed with zstd", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", ("a 7z archive", UNPACK)),
    (b"Rar!", ("a RAR archive", UNPACK)),
    (b"\x7fELF", ("a program", EXPORT)),
    (b"{\\rtf", ("a text document (RTF)", EXPORT)),
    (b"BEGIN:VCARD", ("an address book (vCard)", EXPORT)),
)
MARKUP = re.compile(r"<([!?]|[a-z][^<>]*>(?!\s*[,;\t|]))", re.IGNORECASE)
HTML = re.compile(r"<(!doctype html|html|head|body|table|div|meta|script|style|title|p)\b", re.I)
SQL = re.compile(r"(--|/\*|insert into|create table|drop table|set names|pragma)\s", re.IGNORECASE)
JSON = re.compile(r'\{\s*["}]|\[\s*([{\["\]]|-?\d+\s*,)')
MANY = 10
STRAY = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x19\x1b-\x1f]")
"""Control characters that text does without. A NUL may stand for nothing, and ^Z for the end."""


def refuse(what: str, advice: str) -> InvalidInput:
    """Return what to raise for a file that is something else."""
    return InvalidInput(f"This is {what}, and no table of customers. {advice}")


def check_bytes(head: bytes) -> None:
    """Raise `InvalidInput` when the first bytes are those of something that is no text."""
    for begins, told in BINARY:
        if head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(begins):
            raise refuse(*told)
    if (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:8] == b"ftyp":
        raise refuse(*PICTURE)


def check_text(head: str) -> None:
    """Raise `InvalidInput` when the beginning of a text is that of something else."""
    text = head.lstrip("\ufeff\r\n\t ")
    if not text:
        raise InvalidInput("The file is empty.")
    if MARKUP.match(text):
        raise refuse(*_markup(text))
    _check_json(text)
    if text[:11].upper() == "BEGIN:VCARD":
        raise refuse("an address book (vCard)", EXPORT)
    if SQL.match(text):
        raise refuse("a program for a database (SQL)", EXPORT)
    if len(STRAY.findall(text)) > max(MANY, len(text) // 20):
        raise InvalidInput("This is neither text nor a spreadsheet. Import a CSV or .xlsx file.")


def _markup(text: str) -> tuple[str, str]:
    if HTML.search(text[:4096]):
        what = "a web page (HTML): a page to sign in, perhaps, or what some programs call Excel"
        return what, f"If it is a table, this helps: {AS_CSV[0].lower()}{AS_CSV[1:]}"
    if "Excel.Sheet" in text or "schemas-microsoft-com:office:spreadsheet" in text:
        return "a spreadsheet in XML, as Excel 2003 saved it", AS_CSV
    return "XML", EXPORT


def _check_json(text: str) -> None:
    if text.startswith('{"identity":'):
        raise refuse(
            "a copy of all evidence",
            "It goes into an empty database, from a file and on the machine of the service: "
            "flask identity import FILE.",
        )
    if JSON.match(text):
        raise refuse("JSON", EXPORT)
