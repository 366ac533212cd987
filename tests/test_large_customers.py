"""Customers of thousands of contacts: answered whole, and nobody waits for it."""

import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pytest
import urllib3
from flask import Flask
from flask.testing import FlaskClient
from psycopg.rows import RowMaker
from sqlalchemy import insert

from identity import access, clusters, database
from identity.access import Scope
from identity.clusters import Extent
from identity.database import READING, db
from identity.errors import Conflict, NotFound
from identity.identifiers import Kind, Value
from identity.models import Claim, Contact, Identifier
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody, What
from identity.rulings.plans import published
from identity.verification import verify
from tests.conftest import Make, See
from tests.serving import serving


def gather(size: int, primary_id: int = 1, first: int = 2) -> None:
    """Add contacts to a customer: an email each, and the customer's phone number."""
    now = datetime.now(UTC)
    stamps = {"created_at": now, "updated_at": now}
    ids = range(first, first + size)
    with db.engine.begin() as connection:
        connection.execute(
            insert(Contact),
            [{"id": id_, "email": f"{id_}@crowd.example", "phone_number": "5551",
              "linked_id": primary_id, "link_precedence": "secondary", **stamps} for id_ in ids],
        )  # fmt: skip
        connection.execute(
            insert(Identifier),
            [{"kind": "email", "value": f"{id_}@crowd.example", "contact_id": id_} for id_ in ids],
        )
        connection.execute(
            insert(Claim),
            [{"id": id_, "email": f"{id_}@crowd.example", "phone_number": "5551", "source": "x",
              "told_at": now, "dated_at": now, "contact_id": id_, "brought": "email"}
             for id_ in ids],
        )  # fmt: skip
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('contact_id_seq', 100000)")
            connection.exec_driver_sql("SELECT setval('event_id_seq', 100000)")
        else:
            connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = 100000")


def whole(contact_id: int) -> Any:
    """Return a customer as the contract has it, read in another way."""
    with db.engines[READING].connect() as connection:
        cluster = clusters.with_contact(connection, contact_id)
    assert cluster
    return {name: _listed(value) for name, value in published(cluster).items()}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.fixture
def rows(app: Flask) -> dict[str, list[Any]]:
    """Every row that the databases hand over, by the engine that asked for it."""
    seen: dict[str, list[Any]] = {}
    for name, engine in db.engines.items():
        noted = seen.setdefault(name or database.DECIDING, [])
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.row_factory = _noting(noted, isinstance(driver, sqlite3.Connection))
    return seen


def _noting(noted: list[Any], is_sqlite: bool) -> Callable[..., Any]:
    def note(values: Any) -> tuple[Any, ...]:
        noted.append(values)
        return tuple(values)

    def of_sqlite(_: sqlite3.Cursor, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return note(values)

    def of_postgresql(_: "psycopg.Cursor[Any]") -> RowMaker[tuple[Any, ...]]:
        return note

    return of_sqlite if is_sqlite else of_postgresql


def size(found: list[Any]) -> int:
    return sum(len(str(cell)) for row in found for cell in row)


CROWD = 4_000
"""Contacts: ten times as many as are read at once."""
REPEAT = {"email": "0@crowd.example", "phoneNumber": "5551"}
NEW_EMAIL = {"email": "new@crowd.example", "phoneNumber": "5551"}
NEW_PHONE_NUMBER = {"email": "7@crowd.example", "phoneNumber": "5559999"}


def test_the_answer_is_whole_and_read_once(
    client: FlaskClient, see: See, rows: dict[str, list[Any]]
) -> None:
    see("0@crowd.example", "5551", source="api")
    gather(CROWD)
    deciding, reading = rows[database.DECIDING], rows[READING]

    for given in (REPEAT, NEW_EMAIL, NEW_PHONE_NUMBER):
        deciding.clear()
        reading.clear()
        response = client.post("/identify", json=given)

        assert len(deciding) <= 10, "of the customer that is locked, only what matters"
        assert len(reading) <= clusters.MANY + 10
        # Each contact says the same phone number, and is not told so often.
        assert size(deciding) + size(reading) < 1.5 * len(response.data)
        contact = response.get_json()["contact"]
        assert contact == whole(1)
        assert len(contact["emails"]) > CROWD
        assert set(given.values()) <= {*contact["emails"], *contact["phoneNumbers"]}
        assert client.post("/identify", json=given).get_json()["contact"] == contact


def test_so_is_what_is_looked_up(client: FlaskClient, see: See) -> None:
    see("0@crowd.example", "5551")
    gather(1_000)
    alone = see("marty@hillvalley.edu").primary_id

    asked = {"email": "marty@hillvalley.edu", "phoneNumber": "5551"}
    for found in (client.get("/lookup", query_string=asked), client.post("/lookup", json=asked)):
        told = found.get_json()
        assert told["contact"] == whole(1)
        assert told["wouldMergeWith"] == whole(alone)

    told = client.post("/identify", json=asked).get_json()
    assert told["contact"] == whole(1)
    assert told["contact"]["secondaryContactIds"][-1] == alone


def test_who_may_not_read_is_answered_masked(client: FlaskClient, see: See) -> None:
    see("0@crowd.example", "5551")
    gather(1_000)
    token = access.create_key("resolver", {Scope.RESOLVE})

    told = client.post(
        "/identify", json={"phoneNumber": "5551"}, headers={"Authorization": f"Bearer {token}"}
    ).get_json()

    assert told["contact"]["contactCount"] == 1_001
    assert told["contact"]["emails"][:2] == ["***@crowd.example"] * 2
    assert told["contact"]["phoneNumbers"] == ["***"]


def test_an_answer_counts_as_much_as_it_takes(make: Make) -> None:
    app = make(IDENTITY_API_KEY="outatime" * 4, RATE_LIMIT_KEY="25/minute")
    client, key = app.test_client(), {"Authorization": f"Bearer {'outatime' * 4}"}
    large, small = {"email": "0@crowd.example"}, {"email": "doc@hillvalley.edu"}

    def status(given: dict[str, str]) -> int:
        return client.post("/identify", json=given, headers=key).status_code

    assert [status(given) for given in (small, large)] == [200, 200]
    with app.app_context():
        gather(2_000, primary_id=2, first=10)
    # The first answer counts for 18 calls. A second one is given, and nothing after it.
    assert [status(given) for given in (large, small, large)] == [200, 200, 200]
    assert [status(given) for given in (large, small)] == [429, 429]


def test_a_large_customer_is_decided_about_as_any_other(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1955)
    readings = dict(clusters.FINDING), dict(clusters.FINDING)
    monkeypatch.setattr(clusters, "MANY", 2)
    readings[1][Extent.ENOUGH] = clusters.finding(Extent.ENOUGH)

    def tell(given: dict[str, str], many: int) -> Any:
        monkeypatch.setattr(clusters, "MANY", many)
        monkeypatch.setattr(clusters, "FINDING", readings[many == 2])
        return client.post("/identify", json=given)

    for number in range(300):
        given = {"email": f"{chance.randrange(40)}@crowd.example"} | {
            "phoneNumber": f"555{chance.randrange(40)}"
        }
        for name in chance.choice([(), (), ("email",), ("phoneNumber",)]):
            del given[name]
        if number % 20 == 19:
            rule(chance)
        told = tell(given, 2)
        # Nothing is new the second time, and every member is read for it.
        again = tell(given, 10_000)
        assert (told.status_code, told.get_json()) == (again.status_code, again.get_json())
        if told.status_code == 200:
            contact = told.get_json()["contact"]
            assert contact == whole(contact["primaryContactId"])

    assert verify().problems == []


def rule(chance: random.Random) -> None:
    email = Value(Kind.EMAIL, f"{chance.randrange(40)}@crowd.example")
    number = Value(Kind.PHONE, f"555{chance.randrange(40)}")
    made: list[What] = [Apart(email, number), LinksNobody(number)]
    # Nobody has them yet, or somebody ruled so before.
    with suppress(NotFound, Conflict):
        applying.rule(chance.choice(made), Ordered("test"))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_nobody_waits_for_those_who_add_to_a_large_customer(
    app: Flask, see: See, database_url: str, tmp_path: Path
) -> None:
    see("0@crowd.example", "5551")
    gather(20_000)
    eager = access.create_key("eager", {Scope.IDENTIFY})
    other = access.create_key("other", {Scope.IDENTIFY})

    with (
        serving(database_url, tmp_path, RATE_LIMIT_KEY="2000/minute") as server,
        ThreadPoolExecutor(9) as callers,
    ):
        alone = callers.submit(_call, server.url, other, 0.5).result()
        others = callers.submit(_call, server.url, other, 2.5)
        adding = [callers.submit(_call, server.url, eager, 2.5, f"{n}.") for n in range(8)]
        # Each answer counts for 198 calls, so that those are soon refused.
        assert {status for each in adding for status, _ in each.result()} == {200, 429}
        beside = others.result()

    assert {status for status, _ in [*alone, *beside]} == {200}
    # Eleven seconds it was, for everybody.
    assert median(took for _, took in beside) < max(0.1, 5 * median(took for _, took in alone))


def _call(url: str, key: str, seconds: float, added: str | None = None) -> list[tuple[int, float]]:
    """Call on one connection for so long; return the status of each answer, and how long it took.

    Repeat something small, or add to the large customer.
    """
    answered: list[tuple[int, float]] = []
    headers = {"Authorization": f"Bearer {key}"}
    with urllib3.PoolManager(retries=False, timeout=30) as http:
        until = time.monotonic() + seconds
        while (begun := time.monotonic()) < until:
            given = {"email": f"{added}{len(answered)}@new.example", "phoneNumber": "5551"}
            if added is None:
                given = {"email": "doc@hillvalley.edu"}
            response = http.request("POST", f"{url}/identify", json=given, headers=headers)
            answered.append((response.status, time.monotonic() - begun))
            # Nobody but the large ones is to fill the machine, or to reach the limit.
            time.sleep(0.1 if response.status == 429 else 0.005)
    return answered
