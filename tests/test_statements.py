"""What a call costs, counted in statements, and how the databases find the rows."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from identity import access, clusters
from identity.access import Scope
from identity.database import READING, db
from identity.identifiers import Kind, Value
from identity.models import Claim, Contact, Identifier, KeptApart, Reference, Ruling
from identity.reviewing import sweeping
from identity.reviewing.findings import Kind as Kinds
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.web.pages import review
from tests.callers import person
from tests.conftest import See
from tests.tables import rows_in_all_tables

IDENTIFY = {"email": "doc@hillvalley.edu", "phoneNumber": "555-4385"}


@pytest.fixture
def statements(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reaches a database, as the drivers send them."""
    sent: list[str] = []
    for name in ("execute", "executemany"):
        monkeypatch.setattr(psycopg.Cursor, name, _noting(getattr(psycopg.Cursor, name), sent))
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


def _noting(execute: Callable[..., Any], sent: list[str]) -> Callable[..., Any]:
    def noted(cursor: psycopg.Cursor, query: str, *args: object, **kwargs: object) -> object:
        sent.append(str(query))
        return execute(cursor, query, *args, **kwargs)

    return noted


@contextmanager
def counted(statements: list[str], expected: int) -> Iterator[None]:
    statements.clear()
    yield
    assert len(statements) == expected, statements


def is_one_reading(statements: list[str]) -> bool:
    (statement,) = statements
    return statement.startswith(("SELECT", "WITH")) and "FOR UPDATE" not in statement


def test_a_repeat_is_one_statement_and_no_lock(client: FlaskClient, statements: list[str]) -> None:
    client.post("/identify", json=IDENTIFY)

    with counted(statements, 1):
        client.post("/identify", json=IDENTIFY)
    assert is_one_reading(statements)


def test_so_is_one_with_a_reference_that_is_known(
    client: FlaskClient, statements: list[str]
) -> None:
    named = IDENTIFY | {"reference": "7", "name": "Emmett Brown"}
    client.post("/identify", json=named)

    for repeated in (named, IDENTIFY):
        with counted(statements, 1):
            assert client.post("/identify", json=repeated).status_code == 200
        assert is_one_reading(statements)


def test_so_is_one_that_is_kept_apart(client: FlaskClient, statements: list[str]) -> None:
    doc, marty = Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "5551985")
    both = {"email": "doc@hillvalley.edu", "phoneNumber": "555-1985"}
    client.post("/identify", json=IDENTIFY)
    client.post("/identify", json={"phoneNumber": "555-1985"})
    applying.rule(Apart(doc, marty), Ordered("test"))
    told = client.post("/identify", json=both).get_json()

    with counted(statements, 1):
        assert client.post("/identify", json=both).get_json() == told
    assert is_one_reading(statements)
    assert told["keptApartFrom"] == 2


@pytest.mark.parametrize("is_known", [True, False])
def test_so_is_one_with_a_value_that_links_nobody(
    client: FlaskClient, statements: list[str], is_known: bool
) -> None:
    if is_known:
        client.post("/identify", json=IDENTIFY)
    applying.rule(LinksNobody(Value(Kind.PHONE, "5554385")), Ordered("test"))
    told = client.post("/identify", json=IDENTIFY).get_json()

    with counted(statements, 1):
        assert client.post("/identify", json=IDENTIFY).get_json() == told
    assert is_one_reading(statements)
    assert told["linksNobody"] == "phoneNumber"
    # Whoever is refused because of a ruling has it looked up.
    with counted(statements, 2):
        assert client.post("/identify", json={"phoneNumber": "5554385"}).status_code == 400


def added(before: dict[str, int]) -> dict[str, int]:
    """Return how many rows each table has more than it had."""
    after = rows_in_all_tables()
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def test_what_another_source_repeats_is_one_claim_more(
    client: FlaskClient, see: See, statements: list[str], backend: str
) -> None:
    see("doc@hillvalley.edu", "555-4385", source="till")
    before = rows_in_all_tables()

    # Read, lock, read, who else told it, a place in the order, the claim. SQLite says BEGIN and
    # COMMIT aloud, and makes sure that there is a place before it takes it.
    with counted(statements, 6 if backend == "postgresql" else 9):
        client.post("/identify", json=IDENTIFY)

    assert added(before) == {"claim": 1}
    with counted(statements, 1):
        client.post("/identify", json=IDENTIFY)


def test_a_reference_that_is_new_is_written_and_nothing_else(
    client: FlaskClient, statements: list[str], backend: str
) -> None:
    client.post("/identify", json=IDENTIFY)
    before = rows_in_all_tables()

    # Read, lock, read, who else told it, who was erased meanwhile, the reference.
    with counted(statements, 6 if backend == "postgresql" else 8):
        client.post("/identify", json=IDENTIFY | {"reference": "7"})
    assert added(before) == {"reference": 1}

    client.post("/identify", json=IDENTIFY | {"reference": "7", "name": "Emmett Brown"})
    client.post("/identify", json=IDENTIFY | {"reference": "8"})
    assert added(before) == {"reference": 3}


def test_an_email_told_alone_is_a_claim_beside_the_pairs(
    client: FlaskClient, statements: list[str]
) -> None:
    client.post("/identify", json=IDENTIFY)
    before = rows_in_all_tables()

    client.post("/identify", json={"email": IDENTIFY["email"]})

    assert added(before) == {"claim": 1}
    for again in ({"email": IDENTIFY["email"]}, IDENTIFY):
        with counted(statements, 1):
            client.post("/identify", json=again)
    assert added(before) == {"claim": 1}


def test_a_key_costs_no_statement_a_call(client: FlaskClient, statements: list[str]) -> None:
    token = access.create_key("shop", {Scope.IDENTIFY})
    headers = {"Authorization": f"Bearer {token}"}
    client.post("/identify", json=IDENTIFY, headers=headers)

    with counted(statements, 1):
        assert client.post("/identify", json=IDENTIFY, headers=headers).status_code == 200


def test_a_lookup_is_one_statement_and_a_customer_three(
    client: FlaskClient, statements: list[str]
) -> None:
    client.post("/identify", json=IDENTIFY)

    with counted(statements, 1):
        client.get("/lookup?email=doc@hillvalley.edu")
    # The contacts, what is held apart from them, and what their sources call them.
    with counted(statements, 3):
        client.get("/clusters/1.json")


def test_a_new_customer_is_written_in_few_journeys(
    client: FlaskClient, statements: list[str], backend: str
) -> None:
    # SQLite: read, BEGIN, four inserts, COMMIT, all without leaving the process.
    with counted(statements, 2 if backend == "postgresql" else 7):
        client.post("/identify", json=IDENTIFY)


def test_finding_a_customer_reads_no_table_from_end_to_end(app: Flask, backend: str) -> None:
    _crowd(20_000)
    _kept_apart(2_000)
    for asked in clusters.FIND:
        plan, read_whole = _plan(asked, backend)
        assert not read_whole, (asked, plan)
        assert any("identifier" in step for step in plan)


def _plan(asked: tuple[tuple[Kind, ...], bool], backend: str) -> tuple[list[str], list[str]]:
    """Return the steps by which a customer is found, and those that read a whole table."""
    values: dict[str, Any] = {
        "email": "7@crowd.example", "phone_number": "7", "told_by": "x", "reference": "7",
        "name": "Emmett Brown",
    }  # fmt: skip
    with db.engine.connect() as connection:
        compiled = clusters.FIND[asked].statement.compile(connection)
        # What the statement brings itself, too.
        values = {**compiled.params, **values}
        if backend == "sqlite":
            ordered = tuple(values[name] for name in compiled.positiontup or ())
            explain = f"EXPLAIN QUERY PLAN {compiled}"
            plan = [row[-1] for row in connection.exec_driver_sql(explain, ordered)]
            # Nobody analyses it; somebody may have.
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
            connection.exec_driver_sql("ANALYZE sqlite_schema")
            plan += [row[-1] for row in connection.exec_driver_sql(explain, ordered)]
            # SQLite also says SCAN of going through what was found, which is a customer or two.
            scanned = [step for step in plan if step.startswith("SCAN")]
            return plan, [step for step in scanned if step.split()[1] not in FOUND]
        plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled}", values)]
        return plan, [step for step in plan if "Seq Scan" in step]


FOUND = "asked", "member", "some", "CONSTANT"

# Of a large customer: how much there is of it, a page of its contacts and what made them, the links
# nearest to what is looked at, what happened, what is held apart.
PAGES = {"/": 6, "/events": 6, "/clusters/1": 20, "/clusters/1?at=e2&and=e3": 24}


@pytest.mark.slow
def test_no_page_takes_more_than_a_few_statements(
    client: FlaskClient, see: See, statements: list[str]
) -> None:
    see("0@crowd.example", "1")
    _crowd(5_000, primary_id=1)
    _crowd(100_000, first=5_002)

    taken = {path: _taken(client, path, statements) for path in PAGES}
    assert all(taken[path] <= most for path, most in PAGES.items()), taken
    for order in ("newest", "active", "largest"):
        assert _taken(client, f"/clusters?order={order}", statements) <= 11
        assert _taken(client, f"/clusters?order={order}&after=1", statements) <= 11


def test_who_is_asking_costs_a_page_one_statement_and_its_record_one(
    app: Flask, see: See, statements: list[str]
) -> None:
    see("doc@hillvalley.edu", "555-4385")
    doc = person(app)
    for path, more in (("/clusters", 1), ("/clusters/1", 2), ("/review", 1)):
        _taken(doc, path, statements)
        taken = [each for each in statements if "FROM session" in each or "INTO audit" in each]
        assert len(taken) == more, path


def _taken(client: FlaskClient, path: str, statements: list[str]) -> int:
    # Asked once in five seconds, both; and these five begin now.
    access.forget()
    access.anybody()
    with client.application.app_context():
        client.application.extensions.pop("findings", None)
        review.to_review()
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
            insert(Claim),
            [
                {"id": id_, "email": emails[id_], "phone_number": primary_id and "1", "source": "x",
                 "told_at": now, "dated_at": now, "contact_id": id_, "brought": "email"}
                for id_ in ids
            ],
        )  # fmt: skip
        connection.execute(
            insert(Reference),
            [{"claim_id": id_, "reference": str(id_), "name": "x"} for id_ in ids],
        )
    with db.engines[READING].connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def _kept_apart(size: int) -> None:
    """Keep as many pairs of identifiers apart."""
    now = datetime.now(UTC)
    ruling = {"kind": "apart", "what": "{}", "by": "x", "at": now, "plan": {}, "up_to": 0}
    with db.engine.begin() as connection:
        ruling_id = connection.execute(insert(Ruling).values(ruling).returning(Ruling.id)).scalar()
        connection.execute(
            insert(KeptApart),
            [
                {"kind": "email", "value": f"{number}@crowd.example", "other_kind": "phone",
                 "other_value": str(number), "ruling_id": ruling_id}
                for number in range(size)
            ],
        )  # fmt: skip
    with db.engines[READING].connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def test_the_review_takes_as_many_statements_however_much_is_wrong(
    client: FlaskClient, see: See, statements: list[str]
) -> None:
    taken: list[list[int]] = []
    for many in (1, 12):
        _make_wrong(see, many)
        sweeping.sweep(4)
        taken.append([_taken(client, f"/review?kind={kind}", statements) for kind in Kinds])

    assert taken[0] == taken[1]
    # To begin with: the snapshot, what may be planned on PostgreSQL, the counts and the findings.
    assert max(taken[1]) <= 20


def _make_wrong(see: See, many: int) -> None:
    """Make so many findings of each kind, of customers of so many contacts."""
    for number in range(many):
        for stranger in range(12 + many):
            see(f"s{number}.{stranger}@hillvalley.edu", f"+1617253{1000 + number}")
            see(f"g{number}.{stranger}@hillvalley.edu", f"+1617254{1000 + number}")
        see(f"s{number}.0@hillvalley.edu", f"+1617254{1000 + number}")
        see(f"t{number}@hillvalley.edu", f"617253{1000 + number}")
        ends = Value(Kind.EMAIL, f"t{number}@hillvalley.edu"), Value(Kind.PHONE, f"771{number}")
        see(f"t{number}@hillvalley.edu", f"771{number}")
        if many == 1 or number:
            applying.rule(Apart(*ends), Ordered("test"))
        see(f"t{number}@hillvalley.edu", f"771{number}", source="till")
