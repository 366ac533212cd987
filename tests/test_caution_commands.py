"""Caution at the terminal: what is printed of strangers and merges, and what its options do."""

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from identity.verification import verify
from tests.conftest import See
from tests.tables import rows_in_all_tables
from tests.terminal import run

SHARED = "email,phone\n" + "".join(f"p{n}@hillvalley.edu,0000000000\n" for n in range(2000))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text(SHARED)
    return path


def lines(result: Result) -> list[str]:
    return [line.strip() for line in result.output.splitlines()]


def test_a_dry_run_names_what_strangers_share_and_what_each_choice_leads_to(
    app: Flask, shop: Path
) -> None:
    before = rows_in_all_tables()

    told = lines(run(app, "import", shop, "--dry-run"))

    assert (
        "0000000000 is the phone number of 2,000 rows with 2,000 different emails: all would be "
        "one customer, so it would link nobody" in told
    )
    assert "it ends with one digit, repeated" in told
    assert (
        "So there would be 2,000 customers more than now; as it is (--as-it-is), 1 customer more."
        in told
    )
    assert rows_in_all_tables() == before


def test_an_import_says_what_it_ruled_and_how_that_is_undone(app: Flask, shop: Path) -> None:
    told = lines(run(app, "import", shop))

    assert any(line.startswith("0000000000 links nobody by ruling 1: 2,000 rows") for line in told)
    assert "Each can be taken back: flask identity undo RULING" in told
    assert verify().clusters == 2000

    run(app, "undo", "1", "--yes")

    assert verify().clusters == 1


def test_as_it_is_they_become_one(app: Flask, shop: Path) -> None:
    dry = lines(run(app, "import", shop, "--dry-run", "--as-it-is"))
    run(app, "import", shop, "--as-it-is")

    assert any(line.endswith("different emails: all would be one customer") for line in dry)
    assert verify().clusters == 1


def test_a_merge_says_who_and_why_and_is_left_out(app: Flask, tmp_path: Path, see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    path = tmp_path / "merging.csv"
    path.write_text("email,phone\ndoc@hillvalley.edu,5551985\n")

    told = lines(run(app, "import", path, "--dry-run"))
    kept = lines(run(app, "import", path, "--keep-apart", "1,2"))

    assert "customer 2 (marty@hillvalley.edu, 5551985)" in told
    assert "because of line 2: doc@hillvalley.edu and 5551985" in told
    assert "to leave them as they are: --keep-apart 1,2" in told
    assert "1  rows held: a ruling keeps them apart" in kept
    assert verify().clusters == 2


@pytest.mark.parametrize("ids", ["1", "1,2", "1,1", "doc,marty", ""])
def test_keeping_apart_needs_customers_who_are_there(app: Flask, shop: Path, ids: str) -> None:
    result = run(app, "import", shop, "--keep-apart", ids)

    assert result.exit_code == 2
    assert "Traceback" not in result.output
