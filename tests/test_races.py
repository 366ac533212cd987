"""Races, with real processes on real databases. Nothing may split, double or be lost."""

import multiprocessing
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from identity import clusters, database, reconciliation
from identity.database import db
from identity.errors import LostRace, Unavailable
from identity.identifiers import Identifiers
from identity.models import Contact
from identity.reconciliation import identify
from identity.verification import Components, verify
from tests.conftest import See, app_on, close
from tests.serving import serving

Call = tuple[str | None, str | None]
PROCESSES = 4


def _call_all(url: str, calls: list[Call], threads: int, barrier: Barrier) -> list[int]:
    """In a process of its own: make all calls, from several threads; return the primaries."""
    app = app_on(url, WEB_THREADS=threads)

    def call(given: Call) -> int:
        with app.app_context():
            return identify(Identifiers.parse(*given), source="race").cluster.primary_id

    with ThreadPoolExecutor(threads) as pool:
        barrier.wait()
        primaries = list(pool.map(call, calls))
    close(app)
    return primaries


def race(url: str, calls: list[Call], threads: int = 4) -> list[int]:
    """Make the calls from several processes at once, dealt out like cards."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(PROCESSES) as pool:
        barrier = manager.Barrier(PROCESSES)
        hands = [
            pool.apply_async(_call_all, (url, calls[number::PROCESSES], threads, barrier))
            for number in range(PROCESSES)
        ]
        return [primary for hand in hands for primary in hand.get(timeout=120)]


def assert_as_if_one_by_one(calls: list[Call]) -> None:
    """Compare the tables with what any serial order of the calls ends in."""
    components = Components()
    numbers: dict[str, int] = {}
    for call in calls:
        for value in filter(None, call):
            components.add(numbers.setdefault(value, len(numbers)))
        email, phone = call
        if email and phone:
            components.join(numbers[email], numbers[phone])
    report = verify()
    assert report.problems == []
    assert report.clusters == len(components.groups())
    assert report.identifiers == len(numbers)
    assert report.links == len({call for call in calls if all(call)})
    with db.engine.connect() as connection:
        pairs = select(Contact.email, Contact.phone_number)
        rows = connection.execute(pairs).all()
    assert len(rows) == len(set(rows)), "no contact twice"


@pytest.mark.slow
def test_many_callers_with_one_new_pair_make_one_contact(app: Flask, database_url: str) -> None:
    calls: list[Call] = [("doc@hillvalley.edu", "5554385")] * 32

    primaries = race(database_url, calls, threads=8)

    assert len(set(primaries)) == 1
    assert_as_if_one_by_one(calls)
    assert verify().contacts == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_storm_of_overlapping_calls_ends_as_a_serial_order_would(
    app: Flask, database_url: str, seed: int
) -> None:
    chance = random.Random(seed)

    def call() -> Call:
        email, phone = f"{chance.randrange(40)}@storm.example", f"55{chance.randrange(40)}"
        return chance.choice(((email, phone), (email, phone), (email, None), (None, phone)))

    calls = [call() for _ in range(600)]

    race(database_url, calls)

    assert_as_if_one_by_one(calls)


@pytest.mark.slow
def test_rings_of_merges_leave_one_primary(app: Flask, database_url: str, see: See) -> None:
    rings, size = 10, 6
    calls: list[Call] = []
    for ring in range(rings):
        for number in range(size):
            see(f"{number}@ring{ring}.example", f"{ring}00{number}")
            calls.append((f"{number}@ring{ring}.example", f"{ring}00{(number + 1) % size}"))
    built: list[Call] = [
        (f"{number}@ring{ring}.example", f"{ring}00{number}")
        for ring in range(rings)
        for number in range(size)
    ]
    random.Random(1).shuffle(calls)

    race(database_url, calls)

    assert_as_if_one_by_one(built + calls)
    assert verify().clusters == rings


@pytest.mark.slow
def test_merges_against_inserts(app: Flask, database_url: str, see: See) -> None:
    built: list[Call] = [(f"{number}@town.example", f"77{number}") for number in range(20)]
    for call in built:
        see(*call)
    calls: list[Call] = []
    for number in range(20):
        calls.append((f"{number}@town.example", f"77{(number + 1) % 20}"))
        calls += [(f"{number}-{new}@town.example", f"77{number}") for new in range(10)]
    random.Random(2).shuffle(calls)

    race(database_url, calls)

    assert_as_if_one_by_one(built + calls)
    assert verify().clusters == 1


@pytest.mark.slow
def test_over_http_no_caller_sees_an_error_and_all_get_the_same_answer(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    with (
        serving(database_url, tmp_path, WEB_CONCURRENCY=3) as server,
        ThreadPoolExecutor(32) as callers,
    ):
        answers = list(
            callers.map(lambda _: server.identify("doc@hillvalley.edu", "5554385"), range(32))
        )

    assert {status for status, _, _ in answers} == {200}
    assert len({str(told) for _, told, _ in answers}) == 1
    assert verify().contacts == 1


def interpose(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any], times: int) -> None:
    """Let somebody else commit between our reading and our decision, that many times."""
    find = clusters.find
    left = [times]

    def found(*args: Any) -> clusters.Found:
        result = find(*args)
        if left[0]:
            left[0] -= 1
            meanwhile()
        return result

    monkeypatch.setattr(clusters, "find", found)


@pytest.mark.usefixtures("app")
def test_whoever_loses_the_race_for_a_new_customer_gets_the_winners(
    monkeypatch: pytest.MonkeyPatch, see: See
) -> None:
    interpose(monkeypatch, lambda: see("doc@hillvalley.edu", "555-4385"), times=1)

    late = see("doc@hillvalley.edu", "555-4385")

    assert verify().contacts == 1
    assert late.primary_id == see("doc@hillvalley.edu").primary_id


@pytest.mark.usefixtures("app")
def test_a_primary_that_was_demoted_meanwhile_is_not_built_upon(
    monkeypatch: pytest.MonkeyPatch, see: See
) -> None:
    see("marty@hillvalley.edu", "555-1985")
    see("doc@hillvalley.edu", "555-4385")
    interpose(monkeypatch, lambda: see("marty@hillvalley.edu", "555-4385"), times=1)

    late = see("emmett@brown.org", "555-4385")

    assert late.primary_id == 1
    assert verify().problems == []
    assert verify().clusters == 1


@pytest.mark.usefixtures("app")
def test_a_contact_added_meanwhile_is_in_the_answer(
    monkeypatch: pytest.MonkeyPatch, see: See
) -> None:
    see("doc@hillvalley.edu", "555-4385")
    interpose(monkeypatch, lambda: see("einstein@hillvalley.edu", "555-4385"), times=1)

    late = see("emmett@brown.org", "555-4385")

    assert late.emails == ("doc@hillvalley.edu", "einstein@hillvalley.edu", "emmett@brown.org")


@pytest.mark.usefixtures("app")
def test_what_somebody_else_wrote_meanwhile_is_not_written_again(
    monkeypatch: pytest.MonkeyPatch, see: See
) -> None:
    see("doc@hillvalley.edu", "555-4385")
    interpose(monkeypatch, lambda: see("emmett@brown.org", "555-4385"), times=1)

    see("emmett@brown.org", "555-4385")

    assert verify().contacts == 2
    assert verify().links == 2


@pytest.mark.usefixtures("app")
def test_whoever_keeps_losing_is_told_to_come_back_and_has_written_nothing(
    monkeypatch: pytest.MonkeyPatch, see: See
) -> None:
    monkeypatch.setattr(database, "TRIES", 3)
    see("marty@hillvalley.edu", "555-1985")
    monkeypatch.setattr(reconciliation, "_joined", _lost_after_all_is_written)

    with pytest.raises(Unavailable, match=r"Try again\."):
        see("jennifer@hillvalley.edu", "555-1985")

    with db.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Contact)) == 1


def _lost_after_all_is_written(*_: object) -> clusters.Cluster:
    raise LostRace("always")
