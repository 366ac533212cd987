"""Two PostgreSQL servers, of which the first is lost in the middle of work: nothing answered is."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest
import urllib3

from identity.database import db
from tests.conftest import app_on, close
from tests.postgres import Postgres
from tests.serving import Server, serving

pytestmark = pytest.mark.slow
CALLERS = 4
RESUMES = 5
"""Seconds from the promotion to the first answer."""


@pytest.fixture
def standby(own_postgres: Postgres) -> Iterator[Postgres]:
    """A standby of which the primary waits to hear that it has what is committed."""
    replica = own_postgres.replica()
    with psycopg.connect(own_postgres.url(), autocommit=True) as primary:
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.execute("SELECT pg_reload_conf()")
        state = "SELECT sync_state FROM pg_stat_replication"
        while primary.execute(state).fetchone() != ("sync",):
            time.sleep(0.05)
    yield replica
    replica.stop()


class Load:
    """Callers who bring something new each time, until they are stopped."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answered: list[tuple[float, str]] = []
        """What was answered with 200, and when."""
        self.statuses: set[int] = set()
        self.stopped = threading.Event()
        self._numbers = count()

    def call(self) -> None:
        while not self.stopped.is_set():
            email = f"{next(self._numbers)}@load.example"
            try:
                status, _, _ = self.server.identify(email)
            except urllib3.exceptions.HTTPError:
                continue
            self.statuses.add(status)
            if status == 200:
                self.answered.append((time.monotonic(), email))
            else:
                # As its Retry-After asks, with less patience.
                time.sleep(0.1)

    def wait(self, more: int, seconds: float = 20) -> None:
        """Wait until so many more calls were answered."""
        before, deadline = len(self.answered), time.monotonic() + seconds
        while len(self.answered) < before + more:
            assert time.monotonic() < deadline, "calls are not answered"
            time.sleep(0.02)


def test_a_primary_that_is_killed_takes_no_answered_call_with_it(
    own_postgres: Postgres, standby: Postgres, tmp_path: Path
) -> None:
    url = f"postgresql://identity@127.0.0.1:{own_postgres.port},127.0.0.1:{standby.port}/postgres"
    with (
        serving(url, tmp_path, WEB_CONCURRENCY=2) as server,
        ThreadPoolExecutor(CALLERS) as callers,
    ):
        load = Load(server)
        calls = [callers.submit(load.call) for _ in range(CALLERS)]
        try:
            load.wait(50)
            # In its tracks, with the answers that it owes.
            own_postgres.stop(signal.SIGQUIT)
            time.sleep(0.5)
            with psycopg.connect(standby.url(), autocommit=True) as connection:
                connection.execute("SELECT pg_promote()")
            promoted = time.monotonic()
            load.wait(50)
        finally:
            load.stopped.set()
        for call in calls:
            call.result()
        ready = server.ask("GET", "/ready")[0]

    resumed = min(at for at, _ in load.answered if at > promoted)
    assert resumed - promoted < RESUMES
    assert load.statuses <= {200, 503}
    assert ready == 200
    app = app_on(standby.url())
    with app.app_context(), db.engine.connect() as connection:
        kept = set(connection.exec_driver_sql("SELECT email FROM contact").scalars())
    close(app)
    assert {email for _, email in load.answered} <= kept
