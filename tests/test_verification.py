"""The auditor finds each kind of drift, and what is said next puts right what it comes across."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from identity.database import db
from identity.identifiers import Kind, Value
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.verification import verify
from tests.bringing import as_file, bring
from tests.conftest import See
from tests.oracle import Call
from tests.tables import empty


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
    assert result.output == (
        "5 contacts in 3 clusters, 7 identifiers, 4 links, 5 claims, 0 rulings: no drift\n"
    )


MCFLY: Call = ("mcfly@hillvalley.edu", "123456")
EMMETT: Call = ("emmett@brown.org", "5554385")
STRICKLAND: Call = ("strickland@hillvalley.edu", None)
EINSTEIN: Call = ("einstein@hillvalley.edu", "1955")
CLARA: Call = ("clara@hillvalley.edu", None)
LINK_2_TO = "UPDATE contact SET linked_id = {} WHERE id = 2"
ALONE = "NULL, link_precedence = 'primary'"
ENDED = "UPDATE contact SET deleted_at = '2001-01-01 00:00:00+00' WHERE id = {}"


def no_ruling() -> None: ...


def apart() -> None:
    """Keep Doc and Lorraine apart."""
    one, other = Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "123456")
    applying.rule(Apart(one, other), Ordered("test"))


def links_nobody() -> None:
    """Let Clara's email link nobody."""
    applying.rule(LinksNobody(Value(Kind.EMAIL, "clara@hillvalley.edu")), Ordered("test"))


@dataclass
class Drift:
    """A way in which somebody's hand, or a fault, has changed the tables."""

    call: Call
    """What is told next, about the customer concerned."""
    statements: tuple[str, ...]
    before: tuple[Call, ...] = ()
    """What was told before that, beside the town."""
    ruled: Callable[[], None] = no_ruling
    seen: bool = True
    """Whether the one reading of a call comes across it. It reads one customer's contacts and what
    was told exactly so; nobody has everything compared for every call."""
    by_others: bool = True
    """Whether a source that has not told it before comes across it too, without asking who did."""


DRIFT = {
    "a circle": Drift(MCFLY, (
        LINK_2_TO.format(ALONE),
        "UPDATE contact SET linked_id = 2, link_precedence = 'secondary' WHERE id = 1",
        LINK_2_TO.format("1, link_precedence = 'secondary'"),
    )),
    "chained": Drift(EMMETT, ("UPDATE contact SET linked_id = 2 WHERE id = 4",)),
    "two primaries": Drift(MCFLY, (LINK_2_TO.format(ALONE),)),
    "another's secondary": Drift(MCFLY, (LINK_2_TO.format("5"),)),
    "a wrong oldest": Drift(MCFLY, (
        "UPDATE contact SET created_at = '2001-01-01 00:00:00+00' WHERE id = 2",
    ), seen=False),
    "a wrong date": Drift(STRICKLAND, (
        "UPDATE contact SET created_at = '2001-01-01 00:00:00+00' WHERE id = 5",
    ), seen=False),
    "another's words": Drift(EMMETT, (
        "UPDATE contact SET email = 'einstein@hillvalley.edu' WHERE id = 4",
    )),
    "an identifier of two clusters": Drift(EMMETT, (
        "UPDATE identifier SET contact_id = 5 WHERE contact_id = 4",
    )),
    "a missing identifier": Drift(STRICKLAND, (
        "DELETE FROM identifier WHERE contact_id = 5",
    ), by_others=False),
    # The contact is found by the other one, and says it: the answer is right.
    "a missing identifier of two": Drift(EMMETT, (
        "DELETE FROM identifier WHERE contact_id = 4",
    ), seen=False),
    "an identifier that nobody told of": Drift(("einstein@hillvalley.edu", None), (
        "INSERT INTO identifier VALUES ('email', 'einstein@hillvalley.edu', 3)",
    )),
    "an identifier of a contact that ceased": Drift(STRICKLAND, (ENDED.format(5),)),
    "a secondary deleted by hand": Drift(EMMETT, (ENDED.format(4),)),
    "a primary deleted by hand": Drift(EMMETT, (ENDED.format(3),)),
    "a contact that is gone": Drift(EINSTEIN, (
        "DELETE FROM identifier WHERE contact_id = 6", "DELETE FROM contact WHERE id = 6",
    ), before=(EINSTEIN,), by_others=False),
    "a pair told, and two customers": Drift(("doc@hillvalley.edu", "123456"), (
        f"UPDATE contact SET linked_id = {ALONE} WHERE id = 3",
        "UPDATE contact SET linked_id = 3 WHERE id = 4",
    ), before=(("doc@hillvalley.edu", "123456"),)),
    "an identifier of nobody, without a ruling": Drift(STRICKLAND, (
        "UPDATE identifier SET contact_id = NULL WHERE contact_id = 5",
    )),
    "one of two identifiers of nobody, without a ruling": Drift(EMMETT, (
        "UPDATE identifier SET contact_id = NULL WHERE contact_id = 4",
    ), seen=False),
    "a contact of what links nobody": Drift((CLARA[0], "1955"), (
        "UPDATE identifier SET contact_id = 5 WHERE contact_id IS NULL",
    ), ruled=links_nobody, seen=False),
    "an identifier of nobody that is missing": Drift((CLARA[0], "1955"), (
        "DELETE FROM identifier WHERE contact_id IS NULL",
    ), ruled=links_nobody, seen=False),
    "another identifier of nobody than was ruled": Drift(STRICKLAND, (
        "DELETE FROM identifier WHERE contact_id IS NULL",
        "UPDATE identifier SET contact_id = NULL WHERE contact_id = 5",
    ), ruled=links_nobody, seen=False),
    "kept apart by a ruling that is withdrawn": Drift(("doc@hillvalley.edu", "123456"), (
        "UPDATE ruling SET withdrawn_at = at",
    ), ruled=apart, seen=False),
    "a ruling that keeps nothing apart": Drift(("doc@hillvalley.edu", "123456"), (
        "DELETE FROM kept_apart",
    ), ruled=apart, seen=False),
    "a contact without a claim": Drift(EMMETT, (
        "DELETE FROM claim WHERE email = 'emmett@brown.org'",
    ), seen=False),
    "a customer without a claim": Drift(STRICKLAND, (
        "DELETE FROM claim WHERE email = 'strickland@hillvalley.edu'",
    ), seen=False),
    "a claim that stands no more, without a ruling": Drift(EMMETT, (
        "UPDATE claim SET stands = false WHERE email = 'emmett@brown.org'",
    ), seen=False),
    "a claim that is held by nothing": Drift(EMMETT, (
        "UPDATE claim SET held_by = 7 WHERE email = 'emmett@brown.org'",
    ), seen=False),
    "a claim that remembers another's contact": Drift(EMMETT, (
        "UPDATE claim SET contact_id = 3 WHERE email = 'emmett@brown.org'",
    ), seen=False),
    "a claim that remembers no contact": Drift(EMMETT, (
        "UPDATE claim SET contact_id = NULL, brought = NULL WHERE email = 'emmett@brown.org'",
    ), seen=False),
}  # fmt: skip


@pytest.fixture(params=DRIFT)
def drift(request: pytest.FixtureRequest, see: See, town: None, backend: str) -> Drift:
    """A town in which something is otherwise than the evidence says."""
    drift = DRIFT[request.param]
    for call in drift.before:
        see(*call)
    drift.ruled()
    assert verify().problems == []
    with db.engine.begin() as connection:
        for statement in drift.statements:
            # Only PostgreSQL understands an offset; SQLite stores what it is given.
            moment = statement.replace("+00'", ".000000'" if backend == "sqlite" else "+00'")
            connection.execute(text(moment))
    return drift


def test_every_kind_of_drift_is_found(app: Flask, drift: Drift) -> None:
    problems = verify().problems

    assert problems
    assert len(set(problems)) == len(problems)
    assert not [problem for problem in problems if "46116860184" in problem]
    result = app.test_cli_runner().invoke(args=["identity", "verify"])
    assert result.exit_code == 5
    assert "hillvalley" not in result.output


@pytest.mark.parametrize("source", ["test", "checkout"])
def test_whoever_calls_is_answered_and_puts_right_what_is_seen(
    see: See, drift: Drift, source: str
) -> None:
    told = see(*drift.call, source=source)

    assert drift.call[0] in (*told.emails, CLARA[0])
    assert see(*drift.call, source=source) == told
    if drift.seen and (drift.by_others or source == "test"):
        assert verify().problems == []


def test_a_caller_with_something_new_is_answered(client: FlaskClient, drift: Drift) -> None:
    for body in ({"email": drift.call[0], "phoneNumber": "88"}, {"email": drift.call[0]}):
        response = client.post("/identify", json=body)

        # Nothing but the value that links nobody: that is refused, as it should be.
        assert response.status_code == 200 or body == {"email": CLARA[0]}


def test_an_import_of_the_same_row_puts_right_what_is_seen(drift: Drift) -> None:
    row = (*drift.call, None, "")

    tally = bring(as_file([row]))

    assert tally.rejected == 0
    if drift.seen and drift.by_others:
        assert verify().problems == []


def test_a_customer_split_by_hand_is_whole_again_with_the_ids_it_had(see: See) -> None:
    for _ in range(2):
        empty()
        see("doc@hillvalley.edu", "555-4385")
        whole = see("emmett@brown.org", "555-4385")
        with db.engine.begin() as connection:
            split = f"UPDATE contact SET linked_id = {ALONE} WHERE linked_id IS NOT NULL"
            connection.execute(text(split))

        again = see("emmett@brown.org", "555-4385")

        assert again == whole
        assert verify().problems == []


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
