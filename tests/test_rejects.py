"""The rows of which something cannot be used: kept, mended, and never lost."""

import csv
import os
import threading
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from identity.cli.leftovers import beside
from identity.importing import register
from identity.importing.files import examine
from identity.importing.rejects import Rejects
from tests.conftest import See
from tests.terminal import run

GERMAN = "E-Mail;Phone;Name\nnobody;+491511234567;'t Hooft\nx;0151;=1+1\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_text(GERMAN)
    return path


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file, delimiter=";"))


def mend(path: Path, before: str, after: str) -> None:
    path.write_text(path.read_text().replace(before, after))


def test_a_spreadsheet_opens_them_as_they_are(app: Flask, shop: Path) -> None:
    run(app, "import", shop)

    rejects = shop.with_name("customers.rejects.csv")
    assert rejects.read_bytes().startswith(b"\xef\xbb\xbfrejected_line;rejected_because;E-Mail;")
    assert [row[2:] for row in rows(rejects)[1:]] == [
        ["nobody", "'+491511234567", "'t Hooft"],
        ["x", "'0151", "'=1+1"],
    ]


def test_mending_them_again_and_again_piles_nothing_up(
    app: Flask, shop: Path, see: See, tmp_path: Path
) -> None:
    run(app, "import", shop)
    first = tmp_path / "customers.rejects.csv"
    mend(first, "nobody", "doc@hillvalley.edu")

    result = run(app, "import", first)

    second = tmp_path / "customers.rejects-2.csv"
    assert result.exit_code == 1
    assert [row[2:] for row in rows(second)] == [rows(shop)[0], ["x", "'0151", "'=1+1"]]
    assert see("doc@hillvalley.edu").phone_numbers == ("+491511234567",)
    mend(second, "x;", "marty@hillvalley.edu;")
    assert run(app, "import", second).exit_code == 0
    assert see("marty@hillvalley.edu").phone_numbers == ("0151",)
    out = tmp_path / "out.csv"
    run(app, "export", out)
    with out.open(newline="") as file:
        assert [row["names"] for row in csv.DictReader(file)] == ["'t Hooft", "'=1+1"]


TEXT = st.text("'=+-@;\r\n\t0 aäß１＝", max_size=8)


@given(st.lists(st.lists(TEXT, min_size=2, max_size=4), min_size=1, max_size=3))
def test_what_is_written_is_read_as_it_was(cells: list[list[str]]) -> None:
    header, kept = ["email", "'=name"], [[f"x{row[0]}", *row[1:]] for row in cells]
    for _ in range(2):
        out = BytesIO()
        rejects = Rejects(header, lambda out=out: out, ";")  # type: ignore[misc]
        for line, row in enumerate(kept):
            rejects.add(line, "why", row)
        file = examine("rejects.csv", partial(BytesIO, out.getvalue()))
        read = [row for _, row in file.rows()]
        assert [row[2:] for row in read] == kept
        header, kept = list(file.header), read
        kept = [row[2:] for row in read]
        header = header[2:]


def test_what_somebody_mended_is_left_alone(app: Flask, shop: Path, tmp_path: Path) -> None:
    run(app, "import", shop)
    mended = tmp_path / "customers.rejects.csv"
    mend(mended, "nobody", "doc@hillvalley.edu")
    before = mended.read_bytes()

    default = run(app, "import", shop)
    named = run(app, "import", shop, "--rejects", mended)

    assert mended.read_bytes() == before
    assert "customers.rejects-2.csv: mend them" in default.output
    # What nobody has mended yet is the same, and is not kept twice.
    assert "customers.rejects-2.csv: mend them" in named.output
    assert not list(tmp_path.glob("*-3.csv")) + list(tmp_path.glob("*.part"))


def test_an_empty_file_is_nobodys_work(app: Flask, shop: Path, tmp_path: Path) -> None:
    place = tmp_path / "empty.csv"
    place.touch()

    run(app, "import", shop, "--rejects", place)

    assert len(rows(place)) == 3


@pytest.mark.parametrize("link", [None, Path.symlink_to, Path.hardlink_to])
def test_they_do_not_go_where_they_come_from(
    app: Flask, shop: Path, tmp_path: Path, link: Callable[[Path, Path], None] | None
) -> None:
    place = shop
    if link is not None:
        place = tmp_path / "other.csv"
        link(place, shop)

    result = run(app, "import", shop, "--rejects", place)

    assert result.exit_code == 2
    assert "is the file that is imported." in result.stderr
    assert shop.read_text() == GERMAN
    assert register.latest() == []


def test_a_place_that_cannot_be_written_is_told_before_anything_is(
    app: Flask, shop: Path, tmp_path: Path
) -> None:
    for place, why in (
        (tmp_path / "none" / "x.csv", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        result = run(app, "import", shop, "--rejects", place)

        assert result.exit_code == 2
        assert f"{place}: cannot be written: {why}.\n" in result.stderr
        assert register.latest() == []


def test_a_full_disk_ends_no_import(app: Flask, shop: Path, see: See) -> None:
    shop.write_text(GERMAN + "doc@hillvalley.edu;1955;Doc\n")

    result = run(app, "import", shop, "--rejects", "/dev/full", "--tolerate", "100%")

    assert result.exit_code == 1
    assert "/dev/full: cannot be written: No space left on device.\n" in result.stderr
    assert "importing the file again tells of them again" in result.stderr
    assert see("doc@hillvalley.edu").phone_numbers == ("1955",)


def test_a_pipe_takes_them_and_so_does_stdout(app: Flask, shop: Path, tmp_path: Path) -> None:
    fifo, got = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    run(app, "import", shop, "--rejects", fifo)
    reader.join()

    result = run(app, "import", shop, "--rejects", "-")

    assert got[0].startswith(b"\xef\xbb\xbfrejected_line;")
    assert result.stdout_bytes == got[0]
    assert "Done:" in result.stderr


def test_nothing_is_left_where_nothing_was_rejected(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("email\ndoc@hillvalley.edu\n")

    assert run(app, "import", path).exit_code == 0

    assert {each.name for each in tmp_path.glob("*.csv*")} == {"customers.csv"}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("shop.csv", "shop.rejects.csv"),
        ("shop.rejects.csv", "shop.rejects.csv"),
        ("shop.rejects-2.csv", "shop.rejects.csv"),
        ("shop-2.csv", "shop-2.rejects.csv"),
        ("-", "stdin.rejects.csv"),
    ],
)
def test_they_are_called_after_their_file(given: str, place: str) -> None:
    assert beside(Path(given)) == Path(place)


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    out = BytesIO()

    Rejects(["email"], lambda: out).add(2, "why", ["Ren\udce9", "\ud800"])

    assert b"Ren\xe9" not in out.getvalue() or out.getvalue().decode(errors="surrogateescape")
    assert b"Ren" in out.getvalue()
