"""Nobody is held up by the database, whatever it does."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from identity import database
from identity.errors import Unavailable
from identity.identifiers import Identifiers
from identity.reconciliation import identify
from tests.conftest import Make, app_on, close, empty
from tests.failing import frozen
from tests.postgres import Postgres
from tests.serving import serving

pytestmark = pytest.mark.slow
PROMISED = 5


def timed(ask: Callable[..., tuple[int, Any, Any]], *given: str) -> tuple[int, Any, float]:
    begun = time.monotonic()
    status, told, _ = ask(*given)
    return status, told, time.monotonic() - begun


def test_a_frozen_database_is_a_503_within_the_promise_and_forgotten_when_it_thaws(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    # With a connection for each caller there is nobody before them.
    with (
        serving(own_postgres.url(), tmp_path, WEB_CONCURRENCY=1, WEB_THREADS=10) as server,
        ThreadPoolExecutor(8) as callers,
    ):
        list(callers.map(lambda n: server.identify(f"{n}@town.example"), range(32)))

        with frozen(own_postgres):
            known, new = "0@town.example", "9@town.example"
            asked = [known, new] * 4
            waiting = [callers.submit(timed, server.identify, email) for email in asked]
            time.sleep(0.2)
            ready, alive = timed(server.ask, "GET", "/ready"), timed(server.ask, "GET", "/health")
            told = [call.result() for call in waiting]
        after = [timed(server.identify, known), timed(server.ask, "GET", "/ready")]

    assert {status for status, _, _ in told} == {503}
    assert {answer["error"] for _, answer, _ in told} == {
        "The database does not answer. Try again."
    }
    assert max(seconds for _, _, seconds in told) < PROMISED
    assert (ready[0], alive[0]) == (503, 200)
    assert ready[2] < 1
    assert alive[2] < 1
    assert [status for status, _, _ in after] == [200, 200]
    assert sum(seconds for _, _, seconds in after) < 1


def test_the_wait_for_a_connection_and_that_for_a_lock_are_one_wait(
    migrated_postgres: str,
) -> None:
    app = app_on(empty(migrated_postgres), WEB_THREADS=1)

    def call(phone: str) -> float:
        begun = time.monotonic()
        with app.app_context(), pytest.raises(Unavailable):
            identify(Identifiers.parse("doc@hillvalley.edu", phone), source="test")
        return time.monotonic() - begun

    with app.app_context():
        identify(Identifiers.parse("doc@hillvalley.edu", "1"), source="test")
    with psycopg.connect(migrated_postgres) as other, ThreadPoolExecutor(2) as callers:
        other.execute("SELECT id FROM contact FOR UPDATE")
        # Of the one connection the second has what the first leaves of its time.
        waited = list(callers.map(call, "23"))
    close(app)

    assert max(waited) < PROMISED


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_statement_that_runs_away_is_ended_by_the_database(app: Flask) -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="took too long"):
        database.read(lambda connection: connection.execute(text("SELECT pg_sleep(60)")))
    asleep = "query = 'SELECT pg_sleep(60)' AND state = 'active'"
    counted = text(f"SELECT count(*) FROM pg_stat_activity WHERE {asleep}")

    assert time.monotonic() - begun < PROMISED
    assert database.read(lambda connection: connection.scalar(counted)) == 0


def limits() -> list[str]:
    """What the database ends: waiting for a lock, a statement, and silence in a transaction."""
    names = "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"
    with database.transaction() as connection:
        return [str(connection.scalar(text(f"SHOW {name}"))) for name in names]


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.parametrize("pooler", ["0", "1"])
def test_what_takes_long_has_longer_and_the_next_caller_has_not(make: Make, pooler: str) -> None:
    with make(DATABASE_POOLER=pooler, WEB_THREADS="1").app_context():
        before = limits()
        with database.unhurried():
            meanwhile = limits()
        after = limits()

    assert before == after == ["3800ms", "4300ms", "10s"]
    assert meanwhile == ["3800ms", "0", "10min"]
