"""PostgreSQL looks into indexes whatever it believes of its tables: right after an import, too."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from identity import clusters, crowds, evidence, rebuilding, reconciliation
from identity.batching import questions
from identity.bulk import Question
from identity.clusters import Extent
from identity.database import db
from identity.identifiers import Kind
from identity.importing import figures
from identity.portraying import membership
from identity.writing import decisions
from tests.bringing import bring
from tests.postgres import Postgres

CONTACTS = {"nothing": 100_000, "one customer": 30_000}
"""What came since, by what was there when PostgreSQL last looked."""
FILLED = "contact", "identifier", "claim"
BLOCKS = 60
"""What a statement may touch. Of `contact` alone there are some hundreds at least."""


def _load(connection: psycopg.Connection, first: int, end: int, each: int) -> None:
    """Fill the tables as an import of customers with so many contacts each leaves them."""
    of = f"(n - mod(n, {each}))"
    connection.execute(
        "INSERT INTO contact (id, email, phone_number, linked_id, link_precedence, created_at,"
        f" updated_at) SELECT n, n || '@crowd.example', '555' || {of},"
        f" CASE WHEN n = {of} THEN NULL ELSE {of} END,"
        f" CASE WHEN n = {of} THEN 'primary' ELSE 'secondary' END, now(), now()"
        " FROM generate_series(%s::bigint, %s::bigint) AS n",
        (first, end - 1),
    )
    connection.execute(
        "INSERT INTO identifier SELECT 'email', email, id FROM contact WHERE id >= %(first)s"
        " UNION ALL SELECT 'phone', phone_number, id FROM contact"
        " WHERE id >= %(first)s AND linked_id IS NULL",
        {"first": first},
    )
    connection.execute(
        "INSERT INTO claim (id, email, phone_number, source, told_at, dated_at, contact_id)"
        " SELECT id, email, phone_number, 'x', now(), now(), id FROM contact WHERE id >= %s",
        (first,),
    )


@pytest.fixture(scope="module", params=CONTACTS)
def unsettled(
    postgres_server: Postgres, template: str, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    """A database that was looked at when there was hardly anything in it, and not since."""
    name = f"unsettled_{request.param.replace(' ', '_')}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    url = postgres_server.url(name)
    with psycopg.connect(url, autocommit=True) as connection:
        for table in FILLED:
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        if request.param == "one customer":
            _load(connection, 60, 120, 60)
        connection.execute("ANALYZE")
        _load(connection, 120, CONTACTS[request.param], 3)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


GIVEN: dict[str, Any] = {
    "email": "777@crowd.example",
    "phone_number": "555900",
    "told_by": "x",
    "reference": "7",
    "name": "Emmett Brown",
    "contact_id": 777,
    "primary_id": 777,
    "one": 777,
    "other": 900,
    "ruling": None,
    "most": 20_000,
}
ASKED: dict[int, Any] = {
    1: [str(n) for n in range(600, 900, 3)],
    2: [["email", f"{n}@crowd.example"] for n in range(600, 900, 3)],
}
STATEMENTS = {
    **{
        f"finding {extent.name} {kinds} {named}": prepared.statement
        for extent in Extent
        for (kinds, named), prepared in clusters.FINDING[extent].items()
    },
    **{f"crowd {kind}": crowds.CROWD["postgresql"][kind].statement for kind in Kind},
    "with_contact": clusters.WITH_CONTACT,
    "head": membership.HEAD,
    "page": membership.PAGE,
    "lock": reconciliation.LOCK,
}
QUESTIONS: dict[str, tuple[Question, Any]] = {
    "locked": (rebuilding.LOCKED, ASKED[1]),
    "contacts": (rebuilding.CONTACTS, ASKED[1]),
    "followers": (rebuilding.FOLLOWERS, ASKED[1]),
    "followers to move": (decisions.FOLLOWERS, ASKED[1]),
    "holders": (evidence.HOLDERS, ASKED[2]),
    "claims by email": (evidence.CLAIMS[Kind.EMAIL], [email for _, email in ASKED[2]]),
    "claims by phone number": (evidence.CLAIMS[Kind.PHONE], [f"555{n}" for n in ASKED[1]]),
    "holders of a batch": (questions.HOLDERS[Kind.EMAIL], [email for _, email in ASKED[2]]),
    "pairs of a batch": (questions.PAIRS, [[f"{n}@crowd.example", f"555{n}"] for n in ASKED[1]]),
}


def test_a_call_reads_no_table_right_after_an_import(unsettled: Engine) -> None:
    wrong: dict[str, Any] = {}
    with unsettled.connect() as connection:
        for mode in ("force_custom_plan", "force_generic_plan"):
            for name, statement in STATEMENTS.items():
                plan = _explained(connection, mode, statement, GIVEN)
                if list(_read_whole(plan["Plan"])) or _touched(plan) > BLOCKS:
                    wrong[f"{name}, {mode}"] = plan

    assert wrong == {}


def test_nor_does_a_question_about_a_hundred(unsettled: Engine) -> None:
    wrong: dict[str, Any] = {}
    with unsettled.connect() as connection:
        for name, (question, asked) in QUESTIONS.items():
            given = GIVEN | {"asked_values": json.dumps(asked)}
            statement = question._statement("postgresql")
            plan = _explained(connection, "force_generic_plan", statement, given)
            if list(_read_whole(plan["Plan"])) or _touched(plan) > BLOCKS * len(asked) / 4:
                wrong[name] = plan

    assert wrong == {}


def _explained(connection: Connection, mode: str, statement: Any, given: Any) -> dict[str, Any]:
    compiled = statement.compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"SET plan_cache_mode = {mode}")
    driver: Any = connection.connection.driver_connection
    driver.prepare_threshold = 0
    values = {name: given.get(name, value) for name, value in compiled.params.items()}
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}"
    (((plan,),),) = connection.exec_driver_sql(explain, values).all()
    return dict(plan)


def _read_whole(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in FILLED:
        yield plan["Relation Name"]
    for inner in plan.get("Plans", []):
        yield from _read_whole(inner)


def _touched(plan: dict[str, Any]) -> int:
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("backend", ["postgresql"])
def test_an_import_leaves_figures_of_its_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FIRST", 10)
    before = _counted()

    bring(b"email,phone\n" + b"".join(b"%d@a.example,5550%d\n" % (n, n) for n in range(20)))

    after = _counted()
    assert {name for name in after if after[name] > before[name]} >= {*FILLED, "event"}


def _counted() -> dict[str, int]:
    asked = text("SELECT relname, analyze_count FROM pg_stat_user_tables")
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
        return {row.relname: row.analyze_count for row in connection.execute(asked)}
