"""Races, with real processes on real databases. Nothing may split, double or be lost."""

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from flask import Flask

from identity import clusters, writing
from identity.errors import LostRace, Unavailable
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim, Contact
from identity.models import Event as Line
from identity.reconciliation import identify
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart
from identity.verification import verify
from tests.bringing import as_file, bring
from tests.conftest import Make, See, app_on, close
from tests.oracle import Call, assert_as_if_one_by_one
from tests.processes import FORKING
from tests.serving import serving
from tests.tables import count

PROCESSES = 4


def _call_all(url: str, calls: list[Call], threads: int, barrier: Barrier) -> list[int]:
    """In a process of its own: make all calls, from several threads; return the primaries."""
    app = app_on(url, WEB_THREADS=threads)

    def call(given: Call, tries: int = 3) -> int:
        try:
            with app.app_context():
                return identify(Identifiers.parse(*given), source="race").cluster.primary_id
        except Unavailable:
            # On a machine with much to do five seconds may pass, and then it is told to ask again.
            if tries == 1:
                raise
            return call(given, tries - 1)

    with ThreadPoolExecutor(threads) as pool:
        barrier.wait()
        primaries = list(pool.map(call, calls))
    close(app)
    return primaries


def race(url: str, calls: list[Call], threads: int = 4) -> list[int]:
    """Make the calls from several processes at once, dealt out like cards."""
    with FORKING.Manager() as manager, FORKING.Pool(PROCESSES) as pool:
        barrier = manager.Barrier(PROCESSES)
        hands = [
            pool.apply_async(_call_all, (url, calls[number::PROCESSES], threads, barrier))
            for number in range(PROCESSES)
        ]
        return [primary for hand in hands for primary in hand.get(timeout=120)]


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
    see("marty@hillvalley.edu", "555-1985")
    write, attempts = writing.write, []

    def lost_after_all_is_written(*given: Any) -> None:
        attempts.append(write(*given))
        raise LostRace("always")

    monkeypatch.setattr(writing, "write", lost_after_all_is_written)

    with pytest.raises(Unavailable, match=r"Try again\."):
        see("jennifer@hillvalley.edu", "555-1985")

    assert len(attempts) > 2
    assert (count(Contact), count(Claim), count(Line)) == (1, 1, 1)


class Pause:
    """Stops whoever writes first between writing and committing, with all locks held."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self._over = Event(), Event()
        for name in ("write", "correct"):
            monkeypatch.setattr(writing, name, self._stopping(getattr(writing, name)))

    def _stopping(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*given: Any) -> Any:
            written = write(*given)
            if not self.reached.is_set():
                self.reached.set()
                assert self._over.wait(30)
            return written

        return stopping

    def end(self) -> None:
        self._over.set()


DOC, MARTY = Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "5551985")
BOTH: Call = ("doc@hillvalley.edu", "5551985")
"""What would join Doc and Marty."""
LATE: Call = ("emmett@brown.org", "5554385")
"""What is new about Doc."""


def by_call(call: Call) -> None:
    identify(Identifiers(*call), source="test")


def by_file(call: Call) -> None:
    bring(as_file([(*call, None, "")]))


def by_ruling(_: Call) -> None:
    applying.rule(Apart(DOC, MARTY), Ordered("test"))


WAYS = (by_call, by_file, by_ruling)
# The same ruling twice is one, and the second is refused.
MEETING = [(one, other) for one in WAYS for other in WAYS if not one is other is by_ruling]


@pytest.mark.parametrize(("first", "second"), MEETING)
def test_whoever_would_change_the_same_customers_waits_and_reads_again(
    see: See,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    first: Callable[[Call], None],
    second: Callable[[Call], None],
) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    # Of their own each, so that they meet in the database and not in a pool of connections.
    one, other = make(), make()
    pause = Pause(monkeypatch)

    def within(app: Flask, change: Callable[[Call], None], call: Call) -> None:
        with app.app_context():
            change(call)

    with ThreadPoolExecutor(2) as pool:
        earlier = pool.submit(within, one, first, BOTH)
        assert pause.reached.wait(10)
        later = pool.submit(within, other, second, BOTH if first is by_ruling else LATE)
        try:
            assert waits(later, database_url)
        finally:
            pause.end()
        earlier.result(30)
        later.result(30)

    report = verify()
    assert report.problems == []
    assert report.clusters == (2 if by_ruling in (first, second) else 1)
    doc, marty = see("doc@hillvalley.edu"), see("marty@hillvalley.edu")
    assert (doc.primary_id == marty.primary_id) is (by_ruling not in (first, second))
    assert ("emmett@brown.org" in doc.emails) is (by_ruling not in (first, second))


def waits(later: Future[None], url: str) -> bool:
    """Tell whether somebody waits for another's transaction to end."""
    if url.startswith("sqlite"):
        time.sleep(0.3)
        return not later.done()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and not later.done():
            found = connection.execute(waiting).fetchone()
            if found and found[0]:
                return True
            time.sleep(0.02)
    return False
