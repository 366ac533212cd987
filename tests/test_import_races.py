"""Imports while others call, beside other imports, and broken off half-way."""

import random
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from identity.identifiers import Identifiers
from identity.models import Contact
from identity.reconciliation import identify
from identity.verification import verify
from tests.bringing import importing, write
from tests.conftest import app_on, close
from tests.oracle import Call, assert_as_if_one_by_one
from tests.postgres import Postgres
from tests.processes import FORKING
from tests.tables import count, state


def calls_about(people: int, calls: int, seed: int) -> list[Call]:
    chance = random.Random(seed)
    return [
        (f"p{chance.randrange(people)}@hillvalley.edu", f"55{chance.randrange(people):05}")
        for _ in range(calls)
    ]


def call_all(url: str, calls: list[Call]) -> int:
    app = app_on(url)
    with app.app_context():
        for call in calls:
            identify(Identifiers.parse(*call), source="race")
    close(app)
    return len(calls)


@pytest.mark.slow
def test_imports_and_calls_about_the_same_customers(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    files = [calls_about(3000, 4000, seed) for seed in (1, 2)]
    hands = [calls_about(3000, 300, seed) for seed in (3, 4)]

    with ProcessPoolExecutor(2, FORKING) as pool:
        imports = [
            importing(database_url, write(tmp_path / f"{number}.csv", calls))
            for number, calls in enumerate(files)
        ]
        answered = [pool.submit(call_all, database_url, hand) for hand in hands]
        assert [each.result(timeout=120) for each in answered] == [300, 300]
        ended = [each.communicate(timeout=120)[0] for each in imports]

    assert [each.returncode for each in imports] == [0, 0], ended
    assert_as_if_one_by_one([call for calls in (*files, *hands) for call in calls])


@pytest.mark.slow
def test_an_import_killed_half_way_is_finished_by_running_it_again(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    calls = calls_about(100_000, 45_000, 5)
    path = write(tmp_path / "large.csv", calls)
    killed = importing(database_url, path)
    deadline = time.monotonic() + 60
    while not count(Contact) and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    half = count(Contact)
    assert half > 0
    assert verify().problems == []

    again = importing(database_url, path)
    told = again.communicate(timeout=120)[0]

    assert again.returncode == 0, told
    assert count(Contact) > half
    assert verify().problems == []
    clusters, links, _ = state()
    assert set(links) == {(email, phone) for email, phone in calls}
    known: set[str | None] = set()
    for call in calls:
        known.update(call)
    assert {value for cluster in clusters for given in cluster for value in given} == known


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_database_that_goes_away_ends_the_import_with_a_sentence(
    postgres_server: Postgres, app: Flask, database_url: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "large.csv", calls_about(100_000, 45_000, 6))
    running = importing(database_url, path)
    deadline = time.monotonic() + 60
    while not count(Contact) and time.monotonic() < deadline:
        time.sleep(0.01)
    close(app)
    postgres_server.stop()
    try:
        told = running.communicate(timeout=120)[0]
    finally:
        postgres_server.start()

    assert running.returncode == 3, told
    assert "Broken off: The database does not answer." in told
    assert "Import the file again to do the rest." in told
    again = importing(database_url, path)
    told = again.communicate(timeout=120)[0]
    assert again.returncode == 0, told
    assert verify().problems == []
