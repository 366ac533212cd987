"""SQLite files that are damaged, cut short, read-only or on a full disk: said so, and seldom."""

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from identity import faults
from identity.web import errors
from identity.web.log import Seldom
from tests.conftest import app_on, close
from tests.failing import full, read_only, small_disk

PAGE = 4096


def scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xfe" * (path.stat().st_size - PAGE))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    path.write_bytes(b"Roads? Where we're going, we don't need roads. " * 1000)


def tell(client: FlaskClient, number: int = 0) -> tuple[int, str]:
    response = client.post("/identify", json={"email": f"{number}@hillvalley.edu"})
    return response.status_code, response.get_json().get("error", "")


def ready(client: FlaskClient) -> tuple[int, str]:
    response = client.get("/ready")
    return response.status_code, response.get_json().get("error", "")


@pytest.fixture
def path(tmp_path: Path, migrated_sqlite: Path) -> Path:
    return Path(shutil.copy(migrated_sqlite, tmp_path / "identity.sqlite3"))


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What the log warns of."""
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage())

    handler = Kept(logging.WARNING)
    logging.getLogger("identity").addHandler(handler)
    yield written
    logging.getLogger("identity").removeHandler(handler)


def served(path: Path) -> FlaskClient:
    app = app_on(f"sqlite:///{path}")
    app.config["LIMITER"].forget()
    client = app.test_client()
    assert {tell(client, number) for number in range(100)} == {(200, "")}
    return client


@pytest.mark.parametrize("damage", [scribble, cut, replace])
def test_a_damaged_file_is_not_ready_until_a_backup_is_in_its_place(
    path: Path, damage: Callable[[Path], None]
) -> None:
    client = served(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = shutil.copy(path, path.with_name("backup"))

    damage(path)
    told = [ready(client), tell(client), tell(client, 100)]
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    shutil.copy(backup, path)

    assert told == [(503, faults.DAMAGED)] * 3
    assert (ready(client), tell(client), tell(client, 100)) == ((200, ""),) * 3
    close(client.application)


def test_a_full_disk_is_said_and_what_is_known_is_answered(migrated_sqlite: Path) -> None:
    with small_disk(8) as disk:
        client = served(Path(shutil.copy(migrated_sqlite, disk)))

        with full(disk):
            # The log has room for some more from before.
            told = {tell(client, number) for number in range(100, 200)}
            while_full = ready(client), tell(client)

        assert told <= {(200, ""), (503, faults.FULL)}
        assert (503, faults.FULL) in told
        assert while_full == ((503, faults.FULL), (200, ""))
        assert (ready(client), tell(client, 100)) == ((200, ""), (200, ""))
        close(client.application)


def test_a_disk_that_may_only_be_read_is_said(migrated_sqlite: Path) -> None:
    with small_disk(8) as disk:
        client = served(Path(shutil.copy(migrated_sqlite, disk)))
        close(client.application)

        with read_only(disk):
            told = ready(client), tell(client)[0], tell(client, 100)[0]

        assert told == ((503, faults.READ_ONLY), 503, 503)
        assert (ready(client), tell(client, 100)) == ((200, ""), (200, ""))
        close(client.application)


def test_what_goes_on_is_logged_once_with_where_and_then_once_a_minute(
    path: Path, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "_seldom", Seldom())
    client = served(path)
    replace(path)

    for _ in range(20):
        tell(client)
    monkeypatch.setattr(Seldom, "SECONDS", 0)
    tell(client)
    close(client.application)

    first, second = log
    assert first.startswith(f"{faults.DAMAGED}\n")
    assert "sqlite3.DatabaseError" in first
    assert second.startswith(f"{faults.DAMAGED} (19 more like this in the last ")
