"""What an import is said to have brought, also when it was broken off, and whom it made large."""

import json
import os
import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from identity.errors import Unavailable
from identity.importing import register
from identity.importing import run as importing
from identity.reviewing import growth
from tests.bringing import bring, half_way
from tests.conftest import See
from tests.tables import rows_in_all_tables
from tests.terminal import run


def shared(number: int, phone: str = "+14155550100") -> str:
    rows = (f"{each}@hillvalley.edu,{phone}\n" for each in range(number))
    return f"email,phone\n{''.join(rows)}"


def forget(import_id: int) -> None:
    """Let an import have been heard of long ago, as one that was killed."""
    register.note(import_id, seen_at=datetime.now(UTC) - timedelta(minutes=5))


def figures(page: str) -> dict[str, int]:
    found = re.findall(r"<dt>([^<]*)</dt><dd>([\d,]*)</dd>", page)
    return {label: int(number.replace(",", "")) for label, number in found}


def test_a_broken_off_import_tells_what_it_has_written(
    app: Flask, client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    see("0@hillvalley.edu")
    see(phone="+14155550100")

    def break_off(*_: object) -> None:
        raise Unavailable("The database does not answer. Try again.")

    monkeypatch.setattr(importing, "_reject_empty", break_off)
    with pytest.raises(Unavailable):
        bring(shared(5).encode())
    # The note of how far it came is from before.
    register.note(1, counts={})

    page = client.get("/imports/1").text

    assert "broken off" in page
    assert figures(page) == {
        "Rows gone through, at least": 0,
        "New customers": 0,
        "Contacts added": 4,
        "Customers merged into others": 1,
    }
    assert "nothing new." not in page
    assert "Importing the file again does what is left" in page


def test_one_that_ended_before_its_first_row_says_so(app: Flask, client: FlaskClient) -> None:
    register.give("customers.csv", "the command line")

    assert "no\n  row of it is imported." in client.get("/imports/1").text


def test_whom_an_import_made_large_is_told_with_what_joins_them(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(shared(12) + "x@hillvalley.edu,\n")

    result = run(app, "import", path, "--as-it-is", "--json")

    assert "customer 1 has 12 contacts, which is unusually many\n" in result.stderr
    assert "12 of them have +14155550100; if it is nobody's: flask identity links-nobody" in (
        result.stderr
    )
    assert json.loads(result.stdout)["large"] == [
        {"customer": 1, "contacts": 12, "joined_by": "phoneNumber", "joined": 12}
    ]
    page = client.get("/imports/1").text
    assert "Unusually large by it" in page
    assert '<a href="/clusters/1">Customer 1</a>, 12 contacts: 12 have' in page
    (preview,) = re.findall(r'href="([^"]*)">Let it link nobody', page)
    assert "It can be undone with one click" in client.get(preview.replace("&amp;", "&")).text


def test_who_was_large_before_or_is_not_large_is_not_named(app: Flask) -> None:
    bring(shared(12).encode())
    growth.keep(1)
    bring(shared(14).encode(), feed="other")
    bring(shared(9, "+14155550199").replace("@", "@x.").encode())

    assert [each.contacts for each in growth.kept(register.get(1))] == [14]
    assert growth.keep(2) == []
    assert growth.keep(3) == []


def test_known_customers_that_are_merged_are_large_too(app: Flask) -> None:
    bring(shared(8).encode())
    bring(shared(8, "+14155550199").replace("@", "@x.").encode())

    bring(b"email,phone\n0@hillvalley.edu,+14155550199\n", feed="till")

    assert [each.primary_id for each in growth.keep(3)] == [1]


@pytest.mark.slow
def test_the_page_of_a_killed_import_is_true(
    app: Flask, database_url: str, client: FlaskClient, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    rows = (f"{n}@hillvalley.edu,+1555{n:07}\n" for n in range(100_000))
    path.write_text(f"email,phone\n{''.join(rows)}")
    process = half_way(database_url, path)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    forget(1)

    told = figures(client.get("/imports/1").text)

    there = rows_in_all_tables()["contact"]
    assert 0 < there < 100_000
    assert told["Contacts added"] == told["New customers"] == there
    assert 0 <= told["Rows gone through, at least"] <= there
    assert told["Customers merged into others"] == 0
