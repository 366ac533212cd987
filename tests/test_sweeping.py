"""Sweeps: whatever is told is looked at once, whoever looks and in whatever order it appears."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert, select, text

from identity import database
from identity.database import db
from identity.errors import Unavailable
from identity.identifiers import Identifiers
from identity.models import Claim, Event, Sweep
from identity.reconciliation import identify
from identity.reviewing import findings, settling, steps, sweeping
from identity.reviewing.findings import Kind
from identity.reviewing.sweeping import Swept
from identity.web import sweeping as service
from tests.conftest import Make, See, app_on, close
from tests.serving import serving

SHARED = "+16172531000"
MANY = 12


def strangers(see: See, count: int, number: str = SHARED, first: int = 0) -> None:
    for each in range(first, first + count):
        see(f"stranger{each}@hillvalley.edu", number)


def shared() -> list[int]:
    with db.engine.connect() as connection:
        return [kept.many for kept in findings.largest(connection, Kind.SHARED)]


def done() -> int | None:
    with db.engine.connect() as connection:
        return connection.scalar(select(Sweep.done))


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "CLAIMS", 3)
    monkeypatch.setattr(steps, "LINES", 2)
    monkeypatch.setattr(steps, "AGAIN", 1)


@pytest.mark.usefixtures("small_steps")
def test_in_small_steps_the_same_is_found(see: See) -> None:
    strangers(see, MANY)
    strangers(see, MANY + 1, "+16172531001", first=20)

    swept = sweeping.sweep(4)

    assert swept.finished
    assert swept.steps > 8
    assert shared() == [MANY + 1, MANY]


@pytest.mark.usefixtures("small_steps")
def test_a_sweep_ends_in_time_and_goes_on_where_it_ended(see: See) -> None:
    strangers(see, MANY)

    # A step that has begun is done.
    first = sweeping.sweep(4, seconds=0)
    assert not first.finished
    place = done()
    while not sweeping.sweep(4, seconds=0.05).finished:
        assert done() != place
        place = done()

    assert shared() == [MANY]


def test_what_appears_late_with_an_earlier_place_is_not_passed_over(
    see: See, backend: str, app: Flask
) -> None:
    if backend == "sqlite":
        pytest.skip("There, places are drawn and written in turns.")
    strangers(see, MANY - 1)
    claim = Claim.table()
    with db.engine.connect() as slow:
        begun = slow.begin()
        place = slow.scalar(text("SELECT nextval(pg_get_serial_sequence('event', 'id'))"))
        moment = slow.execute(select(claim).limit(1)).mappings().one()
        late = {"id": place, "email": "late@hillvalley.edu", "phone_number": SHARED}
        slow.execute(insert(claim).values(dict(moment) | late | {"contact_id": None}))
        see("doc@hillvalley.edu", "555-4385")

        swept = sweeping.sweep(4, patience=0.3)

        # Something after it is there already, so nothing there is may be taken for all there is.
        assert not swept.finished
        assert done() is None
        begun.commit()

    assert sweeping.sweep(4).finished
    assert shared() == [MANY]


def test_what_the_version_before_was_told_is_not_passed_over(see: See) -> None:
    strangers(see, MANY - 1)
    see("late@hillvalley.edu", "555-0101")
    see("stranger0@hillvalley.edu", "555-0101")
    line = {"kind": "link_seen", "source": "before", "primary_id": 1, "in_claims": False}
    told = {"email": "late@hillvalley.edu", "phone_number": SHARED}
    with db.engine.begin() as connection:
        moment = connection.scalar(select(Event.occurred_at).limit(1))
        added = insert(Event).values(line | told | {"occurred_at": moment}).returning(Event.id)
        place = connection.execute(added).scalar_one()
    see("doc@hillvalley.edu", "555-4385")

    assert settling.settled(1).place == place - 1
    assert sweeping.sweep(4).finished

    assert shared() == [MANY]
    assert done() is not None
    assert done() != place - 1


def test_places_that_nobody_uses_are_not_waited_for(see: See, backend: str) -> None:
    strangers(see, MANY)
    if backend == "postgresql":
        with db.engine.connect() as connection:
            connection.execute(text("SELECT nextval(pg_get_serial_sequence('event', 'id'))"))
            # And it is rolled back.

    assert settling.settled(0.3).known
    assert sweeping.sweep(4).finished


@pytest.mark.usefixtures("small_steps")
def test_several_at_once_lose_nothing(app: Flask, see: See) -> None:
    told, number = threading.Event(), 40
    sweeps: list[Swept] = []

    def tell() -> None:
        with app.app_context():
            for each in range(number):
                for phone in range(3):
                    given = Identifiers(f"s{phone}.{each}@hillvalley.edu", f"+1617253100{phone}")
                    identify(given, source="test")
        told.set()

    def sweep() -> None:
        with app.app_context():
            while not told.is_set():
                sweeps.append(sweeping.sweep(4))

    with ThreadPoolExecutor(4) as pool:
        ended = [pool.submit(tell), *(pool.submit(sweep) for _ in range(3))]
    for each in ended:
        each.result()
    while not sweeping.sweep(4).finished:
        pass

    assert shared() == [number] * 3


def test_what_was_written_by_two_is_counted_once(see: See) -> None:
    strangers(see, MANY)
    with database.snapshot() as connection:
        before = sweeping.state(connection)
    assert sweeping.sweep(4).finished

    # Whoever had begun at the same place comes second, and writes nothing.
    assert not sweeping._step(before, settling.settled(1).place, 4)
    assert shared() == [MANY]


def test_a_page_may_be_asked_while_a_sweep_goes_on(app: Flask, see: See) -> None:
    strangers(see, MANY)

    with database.snapshot():
        assert sweeping.sweep(4).finished

    assert shared() == [MANY]


# In the service


class Failing:
    """A sweep that goes wrong first."""

    def __init__(self, error: Exception) -> None:
        self.errors: list[Exception] = [error]
        self.done = threading.Event()

    def __call__(self, _: object) -> Swept:
        if self.errors:
            raise self.errors.pop()
        self.done.set()
        return Swept(1, finished=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "REST", 0.01)
    monkeypatch.setattr(service, "LATER", 0.01)


@pytest.mark.usefixtures("quick")
def test_a_database_that_was_away_is_tried_again() -> None:
    sweep, reported = Failing(Unavailable("Away.")), list[Exception]()
    sweeper = service.Sweeper(sweep, reported.append)

    sweeper.begin()

    assert sweep.done.wait(5)
    sweeper.end(5)
    assert reported == []


@pytest.mark.usefixtures("quick")
def test_a_mistake_of_ours_is_reported_and_the_next_call_wakes_it() -> None:
    mistake = ZeroDivisionError()
    sweep, reported = Failing(mistake), list[Exception]()
    sweeper = service.Sweeper(sweep, reported.append)
    sweeper.begin()
    while not reported:
        pass

    sweeper.wake()

    assert sweep.done.wait(5)
    sweeper.end(5)
    assert reported == [mistake]


def test_where_a_process_stands_still_nobody_sweeps_by_himself(make: Make) -> None:
    frozen = make(AWS_LAMBDA_FUNCTION_NAME="identity")

    assert service.begin(frozen) is None


def test_an_app_that_is_not_the_service_begins_no_thread(client: object) -> None:
    assert "sweep" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def served(database_url: str) -> Iterator[Flask]:
    app = app_on(database_url)
    with app.app_context():
        yield app
    close(app)


@pytest.mark.slow
def test_the_service_finds_what_is_wrong_by_itself(
    served: Flask, database_url: str, tmp_path: Path
) -> None:
    with serving(database_url, tmp_path, IDENTITY_OPEN=1) as server:
        for number in range(MANY):
            server.identify(f"stranger{number}@hillvalley.edu", SHARED)
        waited = threading.Event()
        for _ in range(200):
            if shared():
                break
            waited.wait(0.1)

    assert shared() == [MANY]
    assert "Traceback" not in (tmp_path / "gunicorn.log").read_text()
