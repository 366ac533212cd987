"""Erasures beside others: nobody waits for each other for ever, and nobody comes back."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from identity.erasing import applying, clearing
from identity.erasing import register as erasures
from identity.erasing.reach import Wanted
from identity.errors import IdentityError, InvalidInput
from identity.identifiers import Identifiers, parse_one
from identity.reconciliation import identify
from identity.rulings import applying as rulings
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart
from identity.verification import verify
from tests.bringing import importing, write
from tests.conftest import See, app_on, close
from tests.erasing import all_texts
from tests.postgres import deadlocks
from tests.processes import FORKING
from tests.standing import claims
from tests.tables import everything

PEOPLE = 8
FORGOTTEN = range(4)
"""Those of them who are forgotten."""


def email(number: int) -> str:
    return f"p{number}@x.org"


def phone(number: int) -> str:
    return f"55500{number:02}"


def wanted(number: int) -> Wanted:
    return Wanted(frozenset(map(parse_one, (email(number), phone(number)))))


def left() -> set[str]:
    """Return what is left anywhere of whoever was forgotten."""
    told = all_texts()
    return {it for number in FORGOTTEN for it in (email(number), phone(number)) if it in told}


def call(name: str, given: Identifiers, refused: list[Any]) -> None:
    try:
        identify(given, source=name, reference=given.email or "", name=f"Mr {given.email}")
    except InvalidInput:
        # Nothing of it is left.
        pass
    except IdentityError as problem:
        refused.append(str(problem))


def _call(url: str, seed: int, ready: Event, refused: Any) -> None:
    """In a process of its own: tell of everybody, again and again."""
    app = app_on(url)
    with app.app_context():
        ready.set()
        for turn in range(80):
            person, other = turn % PEOPLE, (turn * (5 + seed)) % PEOPLE
            call(f"till{seed}", Identifiers(email(person), phone(other)), refused)
    close(app)


def _erase(url: str, seed: int, ready: Event, refused: Any) -> None:
    """In a process of its own: forget the same people."""
    app = app_on(url)
    with app.app_context():
        ready.set()
        erase_all(refused, f"other {seed}")
    close(app)


def erase_all(refused: Any, by: str) -> None:
    for number in FORGOTTEN:
        try:
            applying.erase(wanted(number), Ordered(by))
        except IdentityError as problem:
            refused.append(str(problem))


@contextmanager
def beside(url: str, *hands: Callable[..., None]) -> Iterator[None]:
    """Let others work in processes of their own meanwhile. Nobody is refused."""
    with FORKING.Manager() as manager:
        refused = manager.list()
        ready = [FORKING.Event() for _ in hands]
        working = [
            FORKING.Process(target=hand, args=(url, seed, ready[seed], refused))
            for seed, hand in enumerate(hands)
        ]
        for each in working:
            each.start()
        assert all(each.wait(60) for each in ready)
        yield
        for each in working:
            each.join(timeout=60)
        assert [each.exitcode for each in working] == [0] * len(working)
        assert list(refused) == []


@pytest.fixture
def people(see: See, database_url: str) -> Iterator[None]:
    """Those who are on record before; in the end nobody was stopped by waiting for another."""
    for number in range(PEOPLE):
        see(email(number), phone(number), source="before")
    before = deadlocks(database_url)
    yield
    assert verify().problems == []
    assert deadlocks(database_url) == before


@pytest.mark.slow
@pytest.mark.usefixtures("people")
def test_two_forget_the_same_people_while_others_tell_of_them(database_url: str) -> None:
    with beside(database_url, _call, _erase):
        refused: list[str] = []
        erase_all(refused, "Doc")

    assert refused == []
    assert left() == set()
    assert {it.email for it in claims()} >= {email(number) for number in range(4, PEOPLE)}


@pytest.mark.slow
@pytest.mark.usefixtures("people")
def test_a_file_that_brings_them_while_they_are_forgotten(
    database_url: str, tmp_path: Path
) -> None:
    before = len(claims())
    calls = [(email(turn % PEOPLE), phone(turn * 7 % PEOPLE)) for turn in range(500)]
    calls += [(f"{turn}@others.org", phone(turn % PEOPLE)) for turn in range(8_000)]
    importer = importing(database_url, write(tmp_path / "people.csv", calls))
    while len(claims()) == before and importer.poll() is None:
        time.sleep(0.02)

    refused: list[str] = []
    erase_all(refused, "Doc")
    told = importer.communicate(timeout=120)[0]

    assert refused == []
    assert importer.returncode == 0, told
    assert left() == set()


def _broken_off(url: str, stage: str, reached: Event) -> None:
    """In a process of its own: forget, and stop for ever where it is written or afterwards."""
    app = app_on(url)

    def stop(*_: object) -> None:
        reached.set()
        time.sleep(60)

    module, name = {"written": (erasures, "remember"), "cleared": (clearing, "clear")}[stage]
    vars(module)[name] = stop
    with app.app_context():
        applying.erase(wanted(0), Ordered("Doc"))


def killed(url: str, stage: str) -> None:
    reached = FORKING.Event()
    process = FORKING.Process(target=_broken_off, args=(url, stage, reached))
    process.start()
    assert reached.wait(60)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.usefixtures("people")
def test_what_is_killed_half_way_did_nothing(database_url: str) -> None:
    before = everything()

    killed(database_url, "written")

    assert everything() == before
    applying.erase(wanted(0), Ordered("Doc"))
    assert not {email(0), phone(0)} & left()


@pytest.mark.slow
@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("backend", ["sqlite"])
def test_what_is_killed_before_the_space_is_given_back_is_done(database_url: str) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))

    killed(database_url, "cleared")

    assert not {email(0), phone(0)} & left()
    assert erasures.get(1).cleared_at is None
    assert clearing.clear(clearing.PATIENCE)
    told = b"".join(map(Path.read_bytes, file.parent.glob(f"{file.name}*")))
    assert email(0).encode() not in told
    assert phone(0).encode() not in told


@pytest.mark.slow
def test_whoever_is_forgotten_while_all_call_and_rule_stays_forgotten(
    app: Flask, database_url: str, people: None
) -> None:
    refused: list[Any] = []

    def tell(name: str) -> None:
        with app.app_context():
            for turn in range(60):
                call(name, Identifiers(email(turn % PEOPLE), phone(turn * 7 % PEOPLE)), refused)

    def rule() -> None:
        with app.app_context():
            for turn in range(6):
                one, other = (parse_one(email(n)) for n in (turn % 4 + 4, (turn + 1) % 4 + 4))
                try:
                    rulings.rule(Apart(one, other), Ordered("Doc"))
                except IdentityError:
                    # They are one contact's, or were kept apart already.
                    continue

    threads = [threading.Thread(target=tell, args=(f"till{n}",)) for n in range(3)]
    threads.append(threading.Thread(target=rule))
    for thread in threads:
        thread.start()
    erase_all(refused, "Doc")
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    assert refused == []
    assert left() == set()
