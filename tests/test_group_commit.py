"""Those who wait for SQLite's one writer share a transaction, and nothing else."""

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, event

from identity import database, group_commit
from identity.database import db
from identity.errors import InvalidInput, Unavailable
from identity.identifiers import Identifiers
from identity.reconciliation import identify
from tests.conftest import app_on, close

COUNT = "SELECT count(*) FROM contact"


@pytest.fixture
def app(migrated_sqlite: Path, tmp_path: Path) -> Flask:
    return app_on(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'identity.sqlite3')}")


class commits:  # noqa: N801, a context manager
    """Counts the transactions that are committed in a block."""

    def __enter__(self) -> "commits":
        self.count = 0
        event.listen(db.engine, "commit", self._add)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(db.engine, "commit", self._add)

    def _add(self, _: Connection) -> None:
        self.count += 1


def added(app: Flask, email: str) -> int:
    with app.app_context():
        return identify(Identifiers.parse(email, None), source="test").cluster.primary_id


def queued(app: Flask, count: int) -> list[int]:
    """Return the ids of customers that were told while somebody else had the file to himself."""
    with ThreadPoolExecutor(count) as callers:
        with database.transaction():
            waiting = [callers.submit(added, app, f"{n}@town.example") for n in range(count)]
            # Each has asked and found nothing, and one of them leads.
            threading.Event().wait(0.5)
        return [call.result() for call in waiting]


def test_who_waits_for_the_same_file_shares_a_transaction(app: Flask) -> None:
    with app.app_context():
        added(app, "doc@hillvalley.edu")
        with commits() as counted:
            ids = queued(app, 12)
        assert len(set(ids)) == 12
        # That of whoever had the file, that of whoever came first, and one for all others.
        assert counted.count <= 4
        close(app)


def test_whoever_fails_takes_nobody_along(app: Flask) -> None:
    def write(connection: Connection, email: str, *, fails: bool) -> str:
        connection.exec_driver_sql(
            "INSERT INTO contact (email, link_precedence, created_at, updated_at)"
            " VALUES (?, 'primary', '2026-01-01', '2026-01-01')",
            (email,),
        )
        if fails:
            raise InvalidInput("no")
        return email

    def tell(number: int) -> str | None:
        fails = number % 3 == 0
        with app.app_context():
            try:
                return group_commit.decide(
                    lambda connection: write(connection, f"{number}@town.example", fails=fails)
                )
            except InvalidInput:
                return None

    with app.app_context(), ThreadPoolExecutor(9) as callers:
        with database.transaction():
            waiting = [callers.submit(tell, number) for number in range(9)]
            threading.Event().wait(0.3)
        told = [call.result() for call in waiting]
        stored = database.read(lambda c: c.exec_driver_sql("SELECT email FROM contact").all())
        close(app)

    wanted = [None if number % 3 == 0 else f"{number}@town.example" for number in range(9)]
    assert told == wanted
    assert {email for (email,) in stored} == {email for email in wanted if email}


def test_when_the_file_is_held_by_somebody_else_all_are_told(app: Flask) -> None:
    with app.app_context():
        path = db.engine.url.database
        assert path
        added(app, "doc@hillvalley.edu")
        with sqlite3.connect(path, isolation_level=None) as other, database.within(0.5):
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                added(app, "marty@hillvalley.edu")
            other.execute("ROLLBACK")
        assert added(app, "marty@hillvalley.edu") == 2
        assert database.read(lambda c: c.exec_driver_sql(COUNT).scalar()) == 2
        close(app)
