"""Files that are no tables: each says what it is, and what to do."""

import io
from functools import partial
from pathlib import Path

import pytest

from identity.errors import InvalidInput
from identity.importing.files import examine
from tests.bringing import examined

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"The file is empty\."),
        (b"\xef\xbb\xbf\r\n", r"The file is empty\."),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "an image"),
        (b"\0\0\0\x20ftypheic", "an image"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"PAR1\x15\0", "a Parquet file"),
        (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive, and no table of customers. Unpack it"),
        (b"BZh91AY", "packed with bzip2"),
        (b"\xfd7zXZ\0\0", "packed with xz"),
        (b"{\\rtf1", "a text document"),
        (OLE + bytes(2000), r"an old Excel workbook \(\.xls\) .* save it as \.xlsx or CSV"),
        (OLE + bytes(2000) + "EncryptedPackage".encode("utf-16-le"), "protected with a password"),
        (b"BEGIN:VCARD\nVERSION:3.0\n", "an address book"),
        ("<!DOCTYPE html>\n<title>Sign in</title>", "a web page .* a page to sign in"),
        ("\n<html xmlns:x='urn:schemas-microsoft-com:office:excel'><table>", "a web page"),
        ("<!DOCTYPE html>".encode("utf-16"), "a web page"),
        ('<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "a spreadsheet in XML"),
        ('<?xml version="1.0"?>\n<customers><customer/>', "This is XML"),
        ('{"customers": [{"email": "doc@hillvalley.edu"', "This is JSON"),
        ('[\n  {"email": "doc@hillvalley.edu"}]', "This is JSON"),
        ('{"email": "doc@hillvalley.edu"}\n{"email": "m@hillvalley.edu"}\n', "This is JSON"),
        ('{"identity": "copy of all evidence", "version": 1}\n', "a copy of all evidence"),
        ("-- MySQL dump 10.13\nINSERT INTO customers VALUES (1);\n", r"\(SQL\)"),
        (bytes(range(1, 32)) * 100, "neither text nor a spreadsheet"),
    ],
)  # fmt: skip
def test_what_is_no_table_says_what_it_is(content: bytes | str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        examined(content)


@pytest.mark.parametrize("header", ["[1] Name,email", "<Name>,email", "{id},email", "- name,email"])
def test_a_header_may_look_like_something_else(header: str) -> None:
    assert examined(f"{header}\nDoc,doc@hillvalley.edu\n").count == 1


def test_a_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="This is a directory"):
        examine("customers", partial(io.FileIO, tmp_path))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        examine("customers", partial(io.FileIO, tmp_path / "customers.csv"))
