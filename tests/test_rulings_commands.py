"""Rulings at the terminal: the plan, the question, and what became of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from identity.errors import Unavailable
from identity.importing import register as imports
from identity.rulings import applying, register
from identity.verification import verify
from tests.bringing import bring
from tests.conftest import See, app_on, close
from tests.tables import everything
from tests.terminal import run

LORRAINE, MARTY, SHARED = "lorraine@hillvalley.edu", "mcfly@hillvalley.edu", "123456"
APART = ("apart", LORRAINE, MARTY)
PLAN = f"""\
This would change 1 customer of 2 contacts into 2 customers of 2 contacts:
  - customer 1 ({LORRAINE}, {MARTY}, {SHARED})
  + customer 1 ({LORRAINE}, {SHARED})
  + customer 2 ({MARTY})

"""
DONE = PLAN.replace("would change", "changed")


@pytest.fixture(autouse=True)
def _family(see: See, request: pytest.FixtureRequest) -> None:
    if "nobody_here" not in request.fixturenames:
        see(LORRAINE, SHARED, source="checkout")
        see(MARTY, SHARED, source="checkout")


@pytest.fixture
def nobody_here() -> None:
    """Ask for this to begin with an empty database."""


def test_a_plan_is_shown_and_confirmed(app: Flask) -> None:
    result = run(app, *APART, "--reason", "A family.", say="y\n")

    assert result.exit_code == 0
    assert result.output == f"{PLAN}Do this? [y/N]: y\nRuling 1 is applied.\n"
    ruling, _ = applying.get(1)
    assert (ruling.said.by, ruling.said.reason) == ("the command line", "A family.")
    assert verify().problems == []


@pytest.mark.parametrize("say", ["n\n", "\n", ""])
def test_nothing_is_done_without_a_yes(app: Flask, say: str) -> None:
    before = everything()

    result = run(app, *APART, say=say)

    assert result.exit_code == 130
    assert everything() == before


def test_a_dry_run_shows_the_plan_and_changes_nothing(app: Flask) -> None:
    before = everything()

    result = run(app, *APART, "--dry-run", "--yes")

    assert result.exit_code == 0
    assert result.output == f"{PLAN}Nothing was changed.\n"
    assert everything() == before


def test_yes_plans_nothing_and_tells_what_was_changed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "plan", None)

    result = run(app, *APART, "--yes")

    assert result.exit_code == 0
    assert result.output == f"{DONE}Ruling 1 is applied.\n"


def test_what_was_shown_is_what_happens(
    app: Flask, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def confirm(*_: Any, **__: Any) -> bool:
        if not asked:
            see(MARTY, "1985", source="till")
        asked.append(True)
        return True

    monkeypatch.setattr("click.confirm", confirm)

    result = run(app, *APART)

    assert result.exit_code == 0
    assert len(asked) == 2
    assert "Something else would happen by now than was planned." in result.output
    assert "would change" in result.output
    assert f"{MARTY}, 1985)\n\nRuling " in result.output


def test_undoing_shows_its_plan_too(app: Flask) -> None:
    run(app, *APART, "--yes")

    result = run(app, "undo", 1, "--reason", "They are one.", say="y\n")

    assert result.exit_code == 0
    first, *_, last = result.output.splitlines()
    assert first == "This would change 2 customers of 2 contacts into 1 customer of 2 contacts:"
    assert last == "Ruling 1 is withdrawn."
    assert run(app, "undo", 1, "--yes").exit_code == 6


def test_a_ruling_that_changes_nobody_says_so(app: Flask) -> None:
    result = run(app, "links-nobody", "0000000000", "--yes")

    assert result.output == "This changed no customer.\nRuling 1 is applied.\n"


def test_an_import_is_withdrawn(app: Flask) -> None:
    bring(b"email,phone\ndoc@hillvalley.edu,5554385\n")

    result = run(app, "withdraw", "import", 1, "--yes")

    assert result.exit_code == 0
    assert "This changed 1 customer of 1 contact into 0 customers of 0 contacts:" in result.output


def test_a_source_is_withdrawn_for_a_while(app: Flask, see: See) -> None:
    see("biff@hillvalley.edu", source="till")
    window = ("--since", "1985-10-26T01:21:00Z", "--until", "2285-10-26T01:21:00Z")

    result = run(app, "withdraw", "source", "till", *window, "--yes")

    assert "- customer 3 (biff@hillvalley.edu)" in result.output


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ((MARTY, SHARED), 0),
        ((MARTY, SHARED, "--source", "checkout"), 0),
        ((MARTY, SHARED, "--source", "till"), 6),
        ((MARTY, "-"), 6),
        (("", SHARED), 6),
        (("-", ""), 2),
        (("-", "", "--source", "checkout"), 2),
    ],
)
def test_exactly_one_claim_is_withdrawn(app: Flask, claim: tuple[str, ...], status: int) -> None:
    assert run(app, "withdraw", "claim", *claim, "--yes").exit_code == status


def test_a_number_is_read_as_in_the_configured_country(database_url: str) -> None:
    app = app_on(database_url, DEFAULT_PHONE_REGION="US")
    with app.app_context():
        run(app, "links-nobody", "(775) 555-0154", "--yes")

        assert "+17755550154" in run(app, "rulings").output
    close(app)


def test_rulings_are_listed_newest_first(app: Flask) -> None:
    run(app, *APART, "--yes", "--reason", "Two\npeople.")
    run(app, "links-nobody", SHARED, "--yes")
    run(app, "undo", 1, "--yes", "--reason", "One.")

    lines = [line.split("\t") for line in run(app, "rulings").output.splitlines()]

    assert [line[1] for line in lines] == [
        f"links_nobody: {SHARED}",
        f"apart: {LORRAINE}, {MARTY}",
    ]
    assert lines[0][3] == "stands"
    assert lines[1][2].endswith(" UTC: Two people.")
    assert lines[1][3].startswith("withdrawn by the command line, ")
    assert lines[1][3].endswith(" UTC: One.")
    assert run(app, "rulings", "--before", lines[0][0]).output.startswith("1\t")


def test_there_are_older_rulings(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "SHOWN", 1)
    for number in "55", "56":
        run(app, "links-nobody", number, "--yes")

    assert "older ones: flask identity rulings --before 2" in run(app, "rulings").output


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("apart", LORRAINE, "biff@hillvalley.edu"), 6, "No customer has the identifier"),
        (("apart", LORRAINE, LORRAINE.upper()), 2, "the same identifier twice"),
        (("apart", LORRAINE, "call me"), 2, "phoneNumber must hold digits"),
        (("apart", LORRAINE), 2, "Missing argument 'OTHER'"),
        (("links-nobody", "@"), 2, "email must be an address"),
        (("links-nobody", "55", "--reason", "x" * 1001), 2, "at most 1000 characters"),
        (("withdraw", "import", "88"), 6, "There is no import 88."),
        (("withdraw", "import", "all"), 2, "Invalid value for 'IMPORT'"),
        (("withdraw", "source", "till"), 2, "Missing option '--since'"),
        (
            ("withdraw", "source", "till", "--since", "1985-10-26", "--until", "now"),
            2,
            "a moment with its zone",
        ),
        (("undo", "88"), 6, "There is no ruling 88."),
        (("undo", "all"), 2, "Invalid value for 'RULING'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    app: Flask, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    before = everything()

    for more in ((), ("--yes",), ("--dry-run",)):
        result = run(app, *arguments, *more, say="y\n")
        assert result.exit_code == status
        assert sentence in result.output
        assert "Traceback" not in result.output

    assert everything() == before


def test_the_same_ruling_twice_and_a_running_import_are_refused(app: Flask) -> None:
    run(app, *APART, "--yes")
    import_id = imports.give("customers.csv", "Doc")

    with imports.running(import_id):
        imports.note(import_id, seen_at=datetime.now(UTC))
        running = run(app, "withdraw", "import", import_id, "--yes")
    again = run(app, "apart", MARTY, LORRAINE, "--yes")

    assert (running.exit_code, again.exit_code) == (6, 6)
    assert f"Import {import_id} is running" in running.output
    assert again.output == "Error: The same was ruled already: ruling 1.\n"


def test_a_database_that_goes_away_is_another_exit(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_away(*_: object) -> None:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(applying, "rule", go_away)

    result = run(app, *APART, "--yes")

    assert result.exit_code == 3
    assert result.stderr == (
        "Broken off: The database does not answer. Say the same again to do the rest.\n"
    )


@pytest.mark.usefixtures("nobody_here")
def test_a_long_plan_is_cut_short(app: Flask, see: See) -> None:
    for number in range(12):
        see(f"{number:02}@hillvalley.edu", f"55500{number:02}", source="till")
    for number in range(8):
        see(f"crowd{number}@hillvalley.edu", "1885", source="till")
    window = ("--since", "1985-10-26T01:21:00Z", "--until", "2285-10-26T01:21:00Z")

    result = run(app, "withdraw", "source", "till", *window, "--dry-run")

    assert "This would change 13 customers of 20 contacts into 0" in result.output
    assert "  ... and 3 more changes\n" in result.output
    assert len(result.output.splitlines()) < 30

    split = run(app, "links-nobody", "1885", "--dry-run").output
    assert "- customer 13 (crowd0@hillvalley.edu, crowd1@hillvalley.edu, crowd2@" in split
    assert split.count("  + ") == 6
    assert "  + ... and more\n" in split
