"""What is guarded against spreadsheets comes back as it was."""

import csv
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from identity import formulas
from tests.conftest import See
from tests.terminal import run

CELLS = st.text(alphabet=st.sampled_from("'=+-@\t\r\n＝07ax. ")) | st.text()


@given(CELLS)
def test_what_was_guarded_comes_back_exactly(text: str) -> None:
    assert formulas.unguarded(formulas.guarded(text)) == text
    assert formulas.unguarded(formulas.kept(text)) == text


@given(CELLS)
def test_a_spreadsheet_leaves_what_is_guarded_as_it_is(text: str) -> None:
    assert not formulas.guarded(text).startswith(formulas.FORMULAS)
    assert not formulas.kept(text).startswith(formulas.CHANGED)


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ("'t Hooft", "'t Hooft"),
        ("'+491511234567", "+491511234567"),
        ("'0151", "0151"),
        ("'doc@hillvalley.edu", "doc@hillvalley.edu"),
        ("''=a", "'=a"),
        ("'", "'"),
        ("", ""),
    ],
)
def test_what_a_shop_guarded_is_read_and_a_name_is_left_alone(cell: str, means: str) -> None:
    assert formulas.unguarded(cell) == means


def test_customers_that_differ_by_an_apostrophe_are_exported_apart_and_come_back(
    app: Flask, tmp_path: Path, see: See
) -> None:
    emails = ["=a@b.org", "'=a@b.org", "''=a@b.org", "'a@b.org", "a@b.org", "+1@b.org", "'1@b.org"]
    for email in emails:
        see(email)
    path = tmp_path / "contacts.csv"

    run(app, "export", path, "--contacts")
    result = run(app, "import", path)

    with path.open(newline="") as file:
        written = [row["email"] for row in csv.DictReader(file)]
    assert len(set(written)) == len(emails)
    assert not [cell for cell in written if cell.startswith(formulas.FORMULAS)]
    assert "           0  contacts added\n" in result.output
    assert f"           {len(emails)}  rows with nothing new\n" in result.output
