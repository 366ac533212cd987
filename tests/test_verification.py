"""The auditor finds each kind of drift, and the commands say so."""

import pytest
from flask import Flask
from sqlalchemy import text

from identity.database import db
from identity.verification import verify
from tests.conftest import See


@pytest.fixture
def town(see: See) -> None:
    """Contacts 1 and 2 are Lorraine, 3 and 4 are Doc, 5 is Strickland."""
    see("lorraine@hillvalley.edu", "123456")
    see("mcfly@hillvalley.edu", "123456")
    see("doc@hillvalley.edu", "555-4385")
    see("emmett@brown.org", "555-4385")
    see("strickland@hillvalley.edu")


@pytest.mark.usefixtures("town")
def test_what_identify_wrote_has_no_drift(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["identity", "verify"])

    assert result.exit_code == 0
    assert result.output == "5 contacts in 3 clusters, 7 identifiers, 4 links: no drift\n"


LINK_2_TO = "UPDATE contact SET linked_id = {} WHERE id = 2"
DRIFT = {
    "chained": [
        LINK_2_TO.format("NULL, link_precedence = 'primary'"),
        "UPDATE contact SET linked_id = 2, link_precedence = 'secondary' WHERE id = 1",
        LINK_2_TO.format("1, link_precedence = 'secondary'"),
    ],
    "two primaries": [LINK_2_TO.format("NULL, link_precedence = 'primary'")],
    "another's secondary": [LINK_2_TO.format("5")],
    "a wrong oldest": ["UPDATE contact SET created_at = '2001-01-01 00:00:00+00' WHERE id = 2"],
    "an identifier of two clusters": ["UPDATE identifier SET contact_id = 5 WHERE contact_id = 4"],
    "a missing identifier": ["DELETE FROM identifier WHERE contact_id = 5"],
    "an identifier its contact never brought": [
        "INSERT INTO identifier VALUES ('email', 'einstein@hillvalley.edu', 3)"
    ],
    "a missing link": ["DELETE FROM link WHERE email = 'emmett@brown.org'"],
    "a link to nowhere": [
        "INSERT INTO link VALUES ('strickland@hillvalley.edu', '1', 'x', '2001-01-01 00:00:00+00')"
    ],
    "evidence without a merge": [
        "INSERT INTO link VALUES ('doc@hillvalley.edu', '123456', 'x', '2001-01-01 00:00:00+00')"
    ],
}


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("kind", DRIFT)
def test_every_kind_of_drift_is_found(app: Flask, kind: str, backend: str) -> None:
    with db.engine.begin() as connection:
        for statement in DRIFT[kind]:
            # Only PostgreSQL understands an offset; SQLite stores what it is given.
            moment = statement.replace("+00'", ".000000'" if backend == "sqlite" else "+00'")
            connection.execute(text(moment))

    assert verify().problems, kind
    result = app.test_cli_runner().invoke(args=["identity", "verify"])
    assert result.exit_code == 1
    assert "hillvalley" not in result.output


def test_the_demo_is_the_same_every_time_and_adds_nothing_twice(app: Flask) -> None:
    runner = app.test_cli_runner()

    first = runner.invoke(args=["identity", "seed"])
    report = verify()
    again = runner.invoke(args=["identity", "seed"])

    assert first.exit_code == again.exit_code == 0
    assert report.problems == []
    assert 200 < report.contacts < 600
    assert "nothing_new" in again.output
    assert "contact" not in again.output
    assert str(verify()) == str(report)
