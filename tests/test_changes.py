"""The feed and the old ids, as programs ask for them."""

import fcntl
import resource
import socket
import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from identity import ROOT, access, database, feed
from identity.access import Scope
from identity.erasing import applying as erasing
from identity.erasing.reach import Wanted
from identity.identifiers import Identifiers, Kind, Value
from identity.reconciliation import identify
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn
from identity.web import waiting
from identity.web.waiting import Waiting
from tests.conftest import See
from tests.feeding import changes, customers

MARTY, LORRAINE = "mcfly@hillvalley.edu", "lorraine@hillvalley.edu"
GUIDE = ROOT / "docs/changes.md"
APART = Apart(Value(Kind.EMAIL, MARTY), Value(Kind.EMAIL, LORRAINE))


def steps(client: FlaskClient, contact_id: int) -> list[tuple[Any, ...]]:
    told = client.get(f"/clusters/{contact_id}/history.json").get_json()["history"]
    return [(each["kind"].removeprefix("customer."), each["from"], each["to"]) for each in told]


def test_the_cursor_leads_past_every_change_once(client: FlaskClient, see: See) -> None:
    ids = [see(f"{number}@hillvalley.edu").primary_id for number in range(5)]

    seen, after, more = [], 0, True
    while more:
        page = client.get(f"/changes?after={after}&limit=2").get_json()
        seen += [each["customer"] for each in page["changes"]]
        after, more = page["next"], page["more"]

    assert seen == ids
    assert client.get(f"/changes?after={after}").get_json() == {
        "changes": [],
        "next": after,
        "more": False,
    }


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        *[("after=x", "after"), ("after=14.0", "after"), ("after=%2B1", "after")],
        *[("after=1_0", "after"), ("after=+1", "after"), ("after=-1", "after")],
        *[("limit=0", "limit"), ("limit=1001", "limit"), ("limit=1e1", "limit")],
        *[("wait=31", "wait"), ("wait=1.0", "wait")],
    ],
)
def test_what_makes_no_sense_is_told(client: FlaskClient, asked: str, field: str) -> None:
    answer = client.get(f"/changes?{asked}")

    assert answer.status_code == 400
    assert set(answer.get_json()["fields"]) == {field}


def test_what_is_kept_no_more_is_gone(client: FlaskClient, see: See) -> None:
    for number in range(3):
        see(f"{number}@hillvalley.edu")
    changes()
    with database.transaction() as connection:
        line = connection.exec_driver_sql("SELECT event_id FROM change WHERE number = 2")
        feed.drop(connection, line.scalar_one())

    behind, ahead = client.get("/changes?after=1"), client.get("/changes?after=4")

    assert behind.status_code == ahead.status_code == 410
    assert "/changes/start" in behind.get_json()["error"]
    assert [each["number"] for each in client.get("/changes?after=2").get_json()["changes"]] == [3]


def test_whoever_begins_again_is_told_whose_each_contact_is(client: FlaskClient, see: See) -> None:
    see(MARTY, "5550001")
    see(LORRAINE, "5550001")
    number = changes()[-1].number
    see("george@hillvalley.edu")

    first = client.get("/changes/start?limit=2").get_json()
    last = client.get(f"/changes/start?limit=2&after={first['next']}").get_json()

    assert (first["number"], last["next"]) == (number, None)
    found = [*first["contacts"], *last["contacts"]]
    assert {each["contact"]: each["customer"] for each in found} == customers()


def test_a_reader_waits_for_a_change(app: Flask, client: FlaskClient, see: See) -> None:
    see(MARTY)
    (change,) = changes()

    def tell() -> None:
        with app.app_context():
            identify(Identifiers.parse(LORRAINE, None), source="test")

    telling = threading.Timer(0.05, tell)
    telling.start()
    answer = client.get(f"/changes?after={change.number}&wait=25").get_json()
    telling.join()

    assert [each["kind"] for each in answer["changes"]] == ["customer.created"]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_more_readers_than_may_wait_are_answered_at_once(app: Flask) -> None:
    room = Waiting(app, at_once=0)

    assert room.wait(0, 25, lambda: False) is False


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_reader_who_hangs_up_waits_no_more(app: Flask) -> None:
    room = Waiting(app, at_once=1)

    assert room.wait(0, 25, lambda: True) is False
    room.closing = True
    assert room.wait(0, 25, lambda: False) is False


@pytest.mark.parametrize("backend", ["sqlite"])
def test_who_asks_again_and_again_is_looked_for_by_one(app: Flask) -> None:
    room, before = Waiting(app), set(threading.enumerate())

    for _ in range(20):
        room.wait(0, 0, lambda: False)

    looking = set(threading.enumerate()) - before
    assert len(looking) == 1
    room.closing = True
    looking.pop().join()


def test_a_client_may_have_any_descriptor() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    here, there = socket.socketpair()
    # As the process has when a thousand others are connected.
    high = fcntl.fcntl(here, fcntl.F_DUPFD, 1500)
    with here, there, socket.socket(fileno=high) as client:
        is_gone = waiting.gone({"gunicorn.socket": client})

        assert not is_gone()
        there.send(b"G")
        assert not is_gone()
        client.recv(1)
        there.close()
        assert is_gone()


def test_the_office_lets_the_door_wait(client: FlaskClient) -> None:
    environ = {waiting.BY_DOOR: True}

    asked = client.get("/changes?after=0&wait=25", environ_overrides=environ)
    again = client.get(
        "/changes?after=0&wait=25", environ_overrides=environ, headers={waiting.WAITED: "yes"}
    )

    assert asked.headers[waiting.WAIT] == "0 25"
    assert waiting.WAIT not in again.headers


def test_an_old_id_says_what_became_of_it(client: FlaskClient, see: See) -> None:
    marty = see(MARTY).primary_id
    lorraine = see(LORRAINE).primary_id
    phone = see(MARTY, "5550001").secondary_ids[0]
    see(LORRAINE, "5550001")

    merged = client.get(f"/clusters/{lorraine}/history.json").get_json()
    assert merged["now"] == [marty]
    assert [each["cause"] for each in merged["history"]][1:] == [{"kind": "call", "source": "test"}]
    assert steps(client, lorraine) == [
        ("created", None, lorraine),
        ("merged", lorraine, marty),
    ]
    assert steps(client, phone) == [("grown", None, marty)]
    ruling, _ = applying.rule(APART, Ordered("Doc"))
    assert steps(client, lorraine)[2:] == [("taken_apart", marty, lorraine)]
    assert steps(client, marty) == [
        ("created", None, marty),
        ("merged", marty, marty),
        ("taken_apart", marty, marty),
    ]
    applying.withdraw(ruling.id, Ordered("Doc"))
    assert steps(client, lorraine)[3:] == [("merged", lorraine, marty)]


def test_what_ceased_says_so_for_ever(client: FlaskClient, see: See) -> None:
    marty = see(MARTY, "5550001").primary_id
    lorraine = see(LORRAINE, "5550001").secondary_ids[0]

    applying.rule(ClaimWithdrawn(LORRAINE, "5550001", None), Ordered("Doc"))

    told = client.get(f"/clusters/{lorraine}/history.json").get_json()
    assert (told["ceased"], told["now"]) == (True, [marty])
    assert steps(client, lorraine) == [("grown", None, marty), ("taken_apart", marty, None)]
    assert client.get(f"/clusters/{lorraine}.json").status_code == 410


def test_the_copy_of_the_guide_is_what_the_tables_say(
    site: str, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_URL", site)
    monkeypatch.setenv("IDENTITY_API_KEY", access.create_key("copy", {Scope.READ}))
    code = GUIDE.read_text().partition("```python\n")[2].partition("```")[0]
    # What is in it belongs to a script of its own: the folder, the file and the loop.
    assert len([line for line in code.splitlines() if line.strip()]) <= 40
    client: dict[str, Any] = {}
    exec(compile(code, GUIDE, "exec"), client)
    see(MARTY, "5550001")
    copy = client["begin"]()

    def is_right() -> bool:
        nonlocal copy
        copy = client["follow"](copy, wait=0)
        return bool(copy["customers"] == {str(id_): to for id_, to in customers().items()})

    see(LORRAINE)
    assert is_right()
    see(LORRAINE, "5550001")
    assert is_right()
    ruling, _ = applying.rule(APART, Ordered("Doc"))
    assert is_right()
    applying.rule(ClaimWithdrawn(MARTY, "5550001", None), Ordered("Doc"))
    assert is_right()
    applying.withdraw(ruling.id, Ordered("Doc"))
    assert is_right()
    erasing.erase(Wanted(frozenset({Value(Kind.EMAIL, LORRAINE)})), Ordered("Doc"))
    assert is_right()
    copy["number"] += 1000
    assert is_right()


def test_who_was_erased_is_told_by_ids(client: FlaskClient, see: See) -> None:
    marty = see(MARTY, "5550001").primary_id
    lorraine = see(LORRAINE, "5550001").secondary_ids[0]

    erasing.erase(Wanted(frozenset({Value(Kind.EMAIL, LORRAINE)})), Ordered("Doc"))

    change = changes()[-1]
    assert change.as_json()["kind"] == "customer.erased"
    assert change.cause == {"kind": "erasure", "erasure": 1, "by": "Doc"}
    assert (change.customer, change.moved) == (marty, [(lorraine, marty, None)])
    assert steps(client, lorraine)[-1] == ("erased", marty, None)


def test_an_id_of_nobody_has_no_history(client: FlaskClient) -> None:
    assert client.get("/clusters/7/history.json").status_code == 404


@pytest.mark.parametrize("what", [".json", "/graph.json"])
def test_an_old_id_leads_to_where_the_customer_is_at_home(
    client: FlaskClient, see: See, what: str
) -> None:
    customer = see(MARTY, "5550001").primary_id
    secondary = see(LORRAINE, "5550001").secondary_ids[0]

    link = client.get(f"/clusters/{secondary}{what}").headers["Link"]

    assert link == f'</clusters/{customer}{what}>; rel="canonical"'
