"""What a call costs, counted in statements, and how the databases find the rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from identity import access, clusters
from identity.access import Scope
from identity.database import READING, db
from identity.models import Contact, Identifier, Link
from tests.conftest import See

IDENTIFY = {"email": "doc@hillvalley.edu", "phoneNumber": "555-4385"}


@pytest.fixture
def statements(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reaches a database, as the drivers send them."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(cursor: psycopg.Cursor, query: str, *args: object, **kwargs: object) -> object:
        sent.append(str(query))
        return execute(cursor, query, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    for engine in db.engines.values():
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                driver.set_trace_callback(sent.append)
    with app.app_context():
        # Asked once in five seconds, and not what is counted here.
        access.anybody()
        sent.clear()
    return sent


@contextmanager
def counted(statements: list[str], expected: int) -> Iterator[None]:
    statements.clear()
    yield
    assert len(statements) == expected, statements


def test_a_repeat_is_one_statement(client: FlaskClient, statements: list[str]) -> None:
    client.post("/identify", json=IDENTIFY)

    with counted(statements, 1):
        client.post("/identify", json=IDENTIFY)


def test_a_key_costs_no_statement_a_call(client: FlaskClient, statements: list[str]) -> None:
    token = access.create_key("shop", {Scope.IDENTIFY})
    headers = {"Authorization": f"Bearer {token}"}
    client.post("/identify", json=IDENTIFY, headers=headers)

    with counted(statements, 1):
        assert client.post("/identify", json=IDENTIFY, headers=headers).status_code == 200


def test_a_lookup_and_a_customer_are_one_statement_each(
    client: FlaskClient, statements: list[str]
) -> None:
    client.post("/identify", json=IDENTIFY)

    with counted(statements, 1):
        client.get("/lookup?email=doc@hillvalley.edu")
    with counted(statements, 1):
        client.get("/clusters/1.json")


def test_a_new_customer_is_written_in_few_journeys(
    client: FlaskClient, statements: list[str], backend: str
) -> None:
    # SQLite: read, BEGIN, four inserts, COMMIT, all without leaving the process.
    with counted(statements, 2 if backend == "postgresql" else 7):
        client.post("/identify", json=IDENTIFY)


def test_finding_a_customer_reads_no_table_from_end_to_end(app: Flask, backend: str) -> None:
    _crowd(20_000)
    values = {"email": "7@crowd.example", "phone_number": "7"}
    with db.engine.connect() as connection:
        compiled = clusters.FIND.statement.compile(connection)
        if backend == "sqlite":
            ordered = tuple(values[name] for name in compiled.positiontup or ())
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", ordered)
            plan = [row[-1] for row in rows]
            # SQLite also says SCAN of going through what was found, which is a customer or two.
            read_whole = [step for step in plan if step.startswith("SCAN")]
            assert set(read_whole) == {"SCAN found", "SCAN member"}
        else:
            rows = connection.exec_driver_sql(f"EXPLAIN {compiled}", values)
            plan = [row[0] for row in rows]
            assert not [step for step in plan if "Seq Scan" in step], "\n".join(plan)
    assert any("identifier" in step for step in plan)


def test_a_customer_of_ten_thousand_contacts_is_answered_whole(
    client: FlaskClient, see: See, statements: list[str]
) -> None:
    see("0@crowd.example", "1")
    _crowd(10_000, primary_id=1)

    with counted(statements, 1):
        response = client.post("/identify", json={"email": "0@crowd.example", "phoneNumber": "1"})

    contact = response.get_json()["contact"]
    assert len(contact["secondaryContactIds"]) == 10_000
    assert len(contact["emails"]) == 10_001


@pytest.mark.slow
def test_no_page_takes_more_than_four_statements(
    client: FlaskClient, see: See, statements: list[str]
) -> None:
    see("0@crowd.example", "1")
    _crowd(5_000, primary_id=1)
    _crowd(100_000, first=5_002)

    for path in ("/", "/clusters/1", "/clusters/1?from=e2&to=e3&focus=e4", "/events"):
        assert _taken(client, path, statements) <= 4
    for order in ("newest", "active", "largest"):
        assert _taken(client, f"/clusters?order={order}", statements) <= 4
        assert _taken(client, f"/clusters?order={order}&after=1", statements) <= 4


def _taken(client: FlaskClient, path: str, statements: list[str]) -> int:
    access.anybody()
    statements.clear()
    assert client.get(path).status_code == 200
    return len(statements)


def _crowd(size: int, primary_id: int | None = None, first: int = 2) -> None:
    """Add contacts that have an email each: strangers, or all of one customer."""
    now = datetime.now(UTC)
    with db.engine.begin() as connection:
        ids = range(first, first + size)
        contact = {
            "linked_id": primary_id,
            "link_precedence": "secondary" if primary_id else "primary",
        }
        stamps = {"created_at": now, "updated_at": now}
        emails = {id_: f"{id_}@crowd.example" for id_ in ids}
        connection.execute(
            insert(Contact),
            [{"id": id_, "email": emails[id_], **contact, **stamps} for id_ in ids],
        )
        connection.execute(
            insert(Identifier),
            [{"kind": "email", "value": emails[id_], "contact_id": id_} for id_ in ids],
        )
        connection.execute(
            insert(Link),
            [
                {"email": emails[id_], "phone_number": "1", "source": "x",
                 "first_seen_at": now}
                for id_ in ids
            ],
        )  # fmt: skip
    with db.engines[READING].connect() as connection:
        connection.exec_driver_sql("ANALYZE")
