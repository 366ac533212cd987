"""The process that delivers, while it and what it needs are killed, stopped and away."""

import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from identity import database, feed
from identity.database import db
from identity.identifiers import Identifiers
from identity.models import Message
from identity.reconciliation import identify
from identity.webhooks import register
from identity.webhooks.addresses import Rules
from tests.conftest import app_on, close
from tests.delivering import KEY, deliverer, free_port, receiver
from tests.failing import frozen
from tests.postgres import Postgres
from tests.serving import eventually, name_of, serving

pytestmark = pytest.mark.slow
HERE = Rules(insecure=True)


def tell(customers: int, times: int) -> None:
    """Let so many customers be told of, each that often."""
    for time_ in range(times):
        for each in range(customers):
            identify(Identifiers(f"{each}@hill.example", f"555{each:04}{time_:02}"), source="test")


def hook(port: int) -> str:
    """Make a webhook to a port of this machine, and return its secret."""
    return register.add(f"http://127.0.0.1:{port}/changes", (), HERE, KEY)[1]


def wait_over() -> bool:
    """Let what failed twice, and would wait for minutes, be tried as if they had gone by."""
    with db.engine.begin() as connection:
        late = update(Message).where(Message.tries > 1, Message.next_at.is_not(None))
        connection.execute(late.values(next_at=datetime.now(UTC)))
    return True


def numbers() -> set[int]:
    return database.read(lambda c: {change.number for change in feed.after(c, 0, 10_000)})


def test_nothing_is_lost_overtaken_or_unsigned_whatever_is_killed(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    app = app_on(own_postgres.url())
    port = free_port()
    with app.app_context():
        secret = hook(port)
        tell(30, 8)
        with (
            receiver(tmp_path, secret, port, 10) as taking,
            deliverer(own_postgres.url(), tmp_path) as one,
            deliverer(own_postgres.url(), tmp_path),
        ):
            eventually(lambda: len(taking.came()) > 20, 120)
            one.again()
            eventually(lambda: len(taking.came()) > 60, 120)
            taking.again()
            one.again()
            eventually(lambda: wait_over() and taking.numbers() >= numbers(), 120)
        taking.check(numbers())
        close(app)


def test_a_database_that_goes_away_and_comes_back_is_waited_for(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    app = app_on(own_postgres.url())
    port = free_port()
    with app.app_context():
        secret = hook(port)
        with (
            receiver(tmp_path, secret, port, 10) as taking,
            deliverer(own_postgres.url(), tmp_path) as process,
        ):
            tell(20, 2)
            eventually(lambda: len(taking.came()) > 5, 120)
            own_postgres.stop(signal.SIGQUIT)
            time.sleep(1.5)
            assert process.process.poll() is None
            own_postgres.start()
            tell(20, 3)
            eventually(lambda: taking.numbers() >= numbers(), 60)
            with frozen(own_postgres):
                time.sleep(1.5)
                process.process.terminate()
                process.process.wait(timeout=30)
        taking.check(numbers())
        close(app)
    assert (tmp_path / "deliverer.log").read_text().count("Nothing can be delivered") == 1


def test_the_service_has_a_deliverer_beside_it_and_another_one_when_that_dies(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'identity.sqlite3'}"
    (tmp_path / "identity.sqlite3").write_bytes(migrated_sqlite.read_bytes())
    app, port = app_on(url), free_port()

    with (
        app.app_context(),
        serving(url, tmp_path, DELIVER_BESIDE=1, WEBHOOKS_INSECURE=1) as server,
        receiver(tmp_path, hook(port), port, 10**9) as taking,
    ):

        def beside() -> list[int]:
            # Begun by a thread of the office, whose child it is, too.
            threads = Path(f"/proc/{server.office()}/task").glob("*/children")
            found = [int(pid) for each in threads for pid in each.read_text().split()]
            return [pid for pid in found if name_of(pid) == "deliverer"]

        # Numbers, for what was killed before it could write down that it delivered delivers again.
        server.identify("doc@hillvalley.edu")
        eventually(lambda: len(taking.numbers()) == 1, 120)
        (first,) = beside()
        os.kill(first, signal.SIGKILL)
        assert server.identify("marty@hillvalley.edu")[0] == 200
        eventually(lambda: len(taking.numbers()) == 2, 120)
        (second,) = beside()
        office = server.office()
        os.kill(office or 0, signal.SIGKILL)
        eventually(lambda: not name_of(second), 15)
        assert server.identify("lorraine@hillvalley.edu")[0] == 200
        eventually(lambda: len(taking.numbers()) == 3, 120)
        close(app)
        last = beside()
    assert not any(name_of(pid) for pid in last)
