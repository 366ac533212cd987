"""All that is on record about one person: what, whence, what was decided, and who saw it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert, select

from identity import auditing
from identity.access import Scope, create_key
from identity.auditing import Deed
from identity.database import db
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Audit, Message, MessageState, Webhook
from identity.reconciliation import identify
from identity.reviewing import sweeping
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn
from tests.bringing import bring
from tests.callers import person
from tests.conftest import Make, See
from tests.crowding import large_customer
from tests.pages import text
from tests.terminal import run

LORRAINE = "lorraine@hillvalley.edu"
FILE = b"email,phone,customer id,first name\nlorraine@hillvalley.edu,123456,C-1,Lorraine\n"


@pytest.fixture
def hill_valley(app: Flask, see: See) -> None:
    """Lorraine, of a file and of two calls; and Strickland, who is somebody else."""
    bring(FILE, feed="shop")
    see(LORRAINE, "555-1955", "checkout")
    see(LORRAINE, "555-1985", "newsletter")
    see("strickland@hillvalley.edu", "555-0001", "checkout")
    applying.rule(ClaimWithdrawn(LORRAINE, "5551985", None), Ordered("Doc", "Misheard."))


def access(client: FlaskClient, customer: int = 1) -> Any:
    response = client.get(f"/clusters/{customer}/access.json")
    assert response.status_code == 200
    return json.loads(response.text)


@pytest.mark.usefixtures("hill_valley")
def test_it_tells_what_is_on_record_and_where_it_came_from(client: FlaskClient) -> None:
    told = access(client)

    assert told["customer"] == 1
    known = {
        each.get("email") or each["phoneNumber"]: [
            (origin["source"], origin["import"]) for origin in each["sources"]
        ]
        for each in told["identifiers"]
    }
    assert known == {
        LORRAINE: [("feed:shop", 1), ("checkout", None), ("newsletter", None)],
        "123456": [("feed:shop", 1)],
        "5551955": [("checkout", None)],
    }
    (brought,) = told["imports"]
    assert (brought["id"], brought["fileName"], brought["source"]) == (
        1,
        "customers.csv",
        "feed:shop",
    )
    references = [each for claim in told["told"] for each in claim["references"]]
    assert references == [{"reference": "C-1", "name": "Lorraine", "import": 1}]
    assert [each["reason"] for each in told["rulings"]] == ["Misheard."]
    assert {each["kind"] for each in told["history"]} >= {"contact_created", "customer_changed"}
    assert "strickland" not in json.dumps(told)


@pytest.mark.usefixtures("hill_valley")
def test_whom_somebody_is_kept_apart_from_is_a_ruling_of_both(client: FlaskClient) -> None:
    ends = Value(Kind.EMAIL, LORRAINE), Value(Kind.EMAIL, "strickland@hillvalley.edu")
    applying.rule(Apart(*ends), Ordered("Doc"))

    strickland = access(client, 4)

    assert [each["kind"] for each in strickland["rulings"]] == ["apart"]


@pytest.mark.usefixtures("hill_valley")
def test_it_tells_who_looked_and_who_took_files_away(app: Flask) -> None:
    auditing.note(Deed.EXPORTED, "Marty", "customers")
    doc = person(app)
    doc.get("/clusters/1")
    doc.get("/clusters/4")
    auditing.note(Deed.LOOKED_UP, "Marty", 2)
    auditing.note(Deed.SEARCHED, "Marty")
    auditing.note(Deed.REJECTS_TAKEN, "Marty", 1)

    told = access(doc)

    assert [(each["who"], each["what"], each["about"]) for each in told["looks"]] == [
        ("Marty", "exported", "customers"),
        ("Doc", "customer_opened", "1"),
        ("Marty", "looked_up", "2"),
        ("Marty", "rejects_taken", "1"),
        ("Doc", "access_given", "1"),
    ]


@pytest.mark.usefixtures("hill_valley")
def test_what_was_taken_away_before_somebody_was_known_is_not_theirs(
    app: Flask, client: FlaskClient
) -> None:
    with db.engine.begin() as connection:
        before = {"at": datetime(1985, 10, 26, tzinfo=UTC), "what": "exported", "who": "Marty"}
        connection.execute(insert(Audit), [before])

    assert [each["who"] for each in access(client)["looks"]] == [None]


@pytest.mark.usefixtures("hill_valley")
def test_it_tells_which_webhooks_were_told_and_which_keys_could_ask(app: Flask) -> None:
    create_key("crm", {Scope.READ})
    now = datetime.now(UTC)
    with db.engine.begin() as connection:
        hook = {
            "id": 1,
            "url": "https://crm.example/hook?token=OUTATIME",
            "secret": "sealed",
            "told": 0,
        }
        connection.execute(insert(Webhook), [hook | {"created_at": now, "created_by": "Doc"}])
        message = {"webhook_id": 1, "kind": "customer.grown", "body": "{}", "made_at": now}
        states = (1, MessageState.DELIVERED), (1, MessageState.WAITING), (4, MessageState.DELIVERED)
        connection.execute(
            insert(Message),
            [
                message
                | {"ident": str(number), "customer_id": id_, "state": state.value, "ended_at": now}
                for number, (id_, state) in enumerate(states)
            ],
        )

    told = access(bearing_client(app, "scope", {Scope.STEWARD}))

    assert [(each["host"], each["messages"]) for each in told["webhooks"]] == [("crm.example", 1)]
    for disclosed in json.dumps(told), person(app).get("/clusters/1/access").text:
        assert "OUTATIME" not in disclosed
    assert {each["name"]: each["scopes"] for each in told["keys"]} == {
        "crm": ["read"],
        "scope": ["steward"],
    }


def bearing_client(app: Flask, name: str, scopes: set[Scope]) -> FlaskClient:
    """A program with a key of its own."""
    client = app.test_client()
    client.environ_base |= {"HTTP_AUTHORIZATION": f"Bearer {create_key(name, scopes)}"}
    return client


@pytest.mark.usefixtures("hill_valley")
def test_what_was_found_is_told_to_whom_it_is_about(client: FlaskClient, see: See) -> None:
    for number in range(12):
        see(f"stranger{number}@hillvalley.edu", "123456")
    sweeping.sweep(4, patience=0)

    assert {each["kind"] for each in access(client)["findings"]} == {"filler"}
    assert access(client, 4)["findings"] == []


@pytest.mark.usefixtures("hill_valley")
def test_a_look_is_on_record_whoever_looks_and_before_it_is_answered(
    app: Flask, client: FlaskClient
) -> None:
    client.get("/clusters/1/access")
    client.get("/clusters/2/access.json")
    program = bearing_client(app, "lawyer", {Scope.STEWARD})
    program.get("/clusters/1/access.json")
    run(app, "access", LORRAINE)

    with db.engine.connect() as connection:
        lines = connection.execute(
            select(Audit.who, Audit.about)
            .where(Audit.what == Deed.ACCESS_GIVEN.value)
            .order_by(Audit.id)
        ).all()
    assert [tuple(line) for line in lines] == [
        (None, "1"),
        (None, "2"),
        ("lawyer", "1"),
        ("the command line", "1"),
    ]


@pytest.mark.usefixtures("hill_valley")
def test_the_page_says_the_same_in_words(client: FlaskClient) -> None:
    page = text(client.get("/clusters/1/access"))

    assert "All on record about customer 1" in page
    for told in (LORRAINE, "customers.csv", "C-1 Lorraine", "Misheard.", "checkout", "Withdrawn"):
        assert told in page
    assert "What nobody can say from here" in page
    assert "With who was told" in text(client.get("/clusters/1"))


@pytest.mark.usefixtures("hill_valley")
def test_the_command_finds_by_an_identifier_or_an_id(app: Flask) -> None:
    by_value = run(app, "access", "555 1955", "--json")
    by_id = run(app, "access", "--customer", "2", "--json")

    one, other = (json.loads(each.stdout) for each in (by_value, by_id))
    assert one["customer"] == other["customer"] == 1
    assert one["identifiers"] == other["identifiers"]
    plain = run(app, "access", LORRAINE).stdout
    assert plain.startswith("Customer 1\n")
    assert "fileName customers.csv" in plain
    assert run(app, "access", "nobody@hillvalley.edu").exit_code == 6
    assert run(app, "access").exit_code == 2
    assert run(app, "access", LORRAINE, "--customer", "1").exit_code == 2


def test_of_a_large_customer_the_file_has_all_and_the_page_says_so(
    app: Flask, client: FlaskClient
) -> None:
    large_customer(2_100)
    sent: list[str] = []

    def note(*given: Any) -> None:
        sent.append(given[2])

    for engine in db.engines.values():
        event.listen(engine, "before_cursor_execute", note)
    told = access(client)
    for engine in db.engines.values():
        event.remove(engine, "before_cursor_execute", note)

    assert {name: len(told[name]) for name in ("contacts", "told", "identifiers")} == {
        "contacts": 2_100,
        "told": 2_100,
        "identifiers": 2_101,
    }
    # A few for each thousand, and fifty lines of the history in each.
    assert len(sent) < 100
    assert "The first 500 of 2,100. The JSON file has all." in text(
        client.get("/clusters/1/access")
    )


def test_what_was_erased_of_the_same_customer_is_told(make: Make) -> None:
    app = make(ERASURE_KEY="onlydocknowsthiskeyandnobodyelsedoes")
    with app.app_context():
        for email, phone in (("doc", "5554385"), ("doc", "5554386"), ("marty", "5554386")):
            identify(Identifiers.parse(f"{email}@hillvalley.edu", phone), source="test")
        assert run(app, "erase", "doc@hillvalley.edu", "--yes").exit_code == 0

        told = json.loads(run(app, "access", "marty@hillvalley.edu", "--json").stdout)
        gone = run(app, "access", "doc@hillvalley.edu")

    assert [each["id"] for each in told["erasures"]] == [1]
    assert "doc@" not in json.dumps(told)
    assert gone.exit_code == 6
    assert "It was erased" in gone.stderr
