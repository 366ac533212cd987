"""Imports as a schedule runs them: figures as JSON, what is tolerated, and what stops them."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from identity.errors import Unavailable
from identity.importing import register
from identity.importing import run as running
from identity.verification import verify
from tests.bringing import half_way
from tests.tables import rows_in_all_tables
from tests.terminal import run

SHOP = "email,phone\ndoc@hillvalley.edu,1955\nnobody,1985\n,\nmarty@hillvalley.edu,x\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_text(SHOP)
    return path


def told(app: Flask, *arguments: object) -> dict[str, Any]:
    result = run(app, "import", *arguments, "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["exit"] == result.exit_code
    assert "hillvalley" not in result.stdout
    return found


def test_the_figures_are_one_object_and_all_else_is_on_stderr(app: Flask, shop: Path) -> None:
    found = told(app, shop)

    assert found["import"] == 1
    assert found["source"] == "feed:plain"
    assert found["written"] is True
    assert found["exit"] == 1
    assert found["counts"]["rows"] == 3
    assert found["counts"]["contacts"] == 3
    assert found["counts"]["doubtful"] == 2
    assert found["rejects"] == str(shop.with_name("customers.rejects.csv"))
    assert sorted((each["column"], each["count"]) for each in found["doubts"]) == [
        ("email", 1),
        ("phone", 1),
    ]
    assert found["unions"] == 0
    assert "Done:" in run(app, "import", shop, "--json").stderr


def test_columns_that_are_not_read_are_told_to_jobs_too(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("email,Zweitadresse\ndoc@hillvalley.edu,emmett@hillvalley.edu\n")

    expected = [{"column": "Zweitadresse", "looks_like": "emails"}]
    assert told(app, path, "--dry-run")["not_read"] == expected


def test_so_are_those_of_a_plan(app: Flask, shop: Path) -> None:
    found = told(app, shop, "--dry-run")

    assert (found["import"], found["written"], found["rejects"]) == (None, False, None)
    assert found["counts"] == told(app, shop)["counts"]


def test_what_was_ruled_is_named_by_its_number(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "strangers.csv"
    rows = (f"{name}@hillvalley.edu,0000000000\n" for name in ("doc", "marty", "biff"))
    path.write_text(f"email,phone\n{''.join(rows)}")

    assert told(app, path, "--dry-run")["rulings"] == [{"id": None, "kind": "links_nobody"}]
    assert told(app, path)["rulings"] == [{"id": 1, "kind": "links_nobody"}]


def test_a_file_that_cannot_be_used_is_json_too(app: Flask, tmp_path: Path) -> None:
    found = told(app, tmp_path / "none.csv")

    assert found["exit"] == 2
    assert found["error"].endswith("The file cannot be read: No such file or directory.")
    assert found["counts"] is None


@pytest.mark.parametrize(
    ("tolerate", "code"), [("2", 0), ("67%", 0), ("100%", 0), ("1", 1), ("66%", 1), ("0", 1)]
)
def test_more_doubt_than_is_tolerated_imports_nothing(
    app: Flask, shop: Path, tolerate: str, code: int
) -> None:
    before = rows_in_all_tables()

    result = run(app, "import", shop, "--tolerate", tolerate)

    assert result.exit_code == code
    assert shop.with_name("customers.rejects.csv").exists()
    if code:
        assert (
            f"Nothing was imported: of 3 rows 2 are in doubt, more than --tolerate {tolerate}"
            in (result.stdout)
        )
        assert "1 x email: " in result.stdout
        assert rows_in_all_tables() == before


def test_a_plan_is_as_tolerant(app: Flask, shop: Path) -> None:
    assert run(app, "import", shop, "--dry-run", "--tolerate", "2").exit_code == 0
    assert run(app, "import", shop, "--dry-run", "--tolerate", "1").exit_code == 1
    refused = told(app, shop, "--tolerate", "0")
    assert (refused["import"], refused["written"]) == (None, False)
    assert refused["counts"] == {"rows": 3, "doubtful": 2, "rejected": 0}


@pytest.mark.parametrize("tolerate", ["x", "-1", "101%", "nan", "1.5", "%", ""])
def test_what_cannot_be_tolerated_is_usage(app: Flask, shop: Path, tolerate: str) -> None:
    assert run(app, "import", shop, "--tolerate", tolerate).exit_code == 2


def test_an_import_that_is_broken_off_says_how_far_it_came(
    app: Flask, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object) -> None:
        raise Unavailable("The database does not answer. Try again.")

    monkeypatch.setattr(running, "_reject_empty", break_off)

    result = run(app, "import", shop, "--json")

    found = json.loads(result.stdout)
    assert result.exit_code == found["exit"] == 3
    assert found["error"] == "Broken off: The database does not answer. Try again."
    assert found["counts"] == {"rows": 3, "customers": 3, "contacts": 3, "merged": 0}
    assert "Import 1 is through 3 of 3 rows and has brought 3 contacts" in result.stderr
    assert "flask identity withdraw import 1" in result.stderr
    assert shop.with_name("customers.rejects.csv.part").exists()


def test_a_fault_of_ours_has_a_code_of_its_own(
    app: Flask, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "_reject_empty", fail)

    assert run(app, "import", shop).exit_code == 70


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_stopped_says_what_it_did(
    app: Flask, database_url: str, tmp_path: Path, sent: signal.Signals
) -> None:
    path = tmp_path / "many.csv"
    rows = (f"{n}@hillvalley.edu,+1555{n:07}\n" for n in range(120_000))
    path.write_text(f"email,phone\nnobody,\n{''.join(rows)}")
    process = half_way(database_url, path, "--json")

    # As a terminal does: to all that belongs to it.
    os.killpg(process.pid, sent)

    stdout, stderr = process.communicate(timeout=60)
    found = json.loads(stdout)
    assert process.returncode == found["exit"] == (130 if sent is signal.SIGINT else 143)
    assert "Traceback" not in stderr
    assert found["counts"]["contacts"] == rows_in_all_tables()["contact"] < 120_000
    assert "Stopped." in stderr
    assert "flask identity withdraw import 1" in stderr
    assert path.with_name("many.rejects.csv.part").read_text().count("nobody") == 1
    assert not register.get(1).may_be_running
    assert verify().problems == []
    assert run(app, "withdraw", "import", 1, "--dry-run").exit_code == 0
