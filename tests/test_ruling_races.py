"""Rulings while others call, import and rule, and broken off half-way: with real processes."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from identity.database import db
from identity.errors import Conflict, InvalidInput, NotFound
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim
from identity.reconciliation import identify
from identity.rulings import applying, effects
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn, LinksNobody, SourceWithdrawn
from identity.verification import verify
from tests.bringing import importing, write
from tests.conftest import See, app_on, close
from tests.postgres import deadlocks
from tests.processes import FORKING
from tests.standing import tables

Call = tuple[str | None, str | None]
PEOPLE = 6


def email(number: int) -> Value:
    return Value(Kind.EMAIL, f"{number}@race.example")


def phone(number: int) -> Value:
    return Value(Kind.PHONE, f"55{number}")


def calls(chance: random.Random, count: int) -> list[Call]:
    made: list[Call] = []
    for _ in range(count):
        one, other = email(chance.randrange(PEOPLE)).text, phone(chance.randrange(PEOPLE)).text
        made.append(chance.choice(((one, other), (one, other), (one, None), (None, other))))
    return made


def _call(url: str, seed: int, told: Any) -> None:
    """In a process of its own: make calls, and note those that were answered."""
    app = app_on(url)
    with app.app_context():
        for call in calls(random.Random(seed), 150):
            try:
                identify(Identifiers(*call), source=f"caller {seed}")
            except InvalidInput:
                continue
            told.append((*call, f"caller {seed}"))
    close(app)


def _rule(url: str, seed: int, done: Any) -> None:
    """In a process of its own: rule, and take back, at random."""
    chance, app = random.Random(seed), app_on(url)
    standing: list[int] = []
    with app.app_context():
        for _ in range(25):
            one, other = email(chance.randrange(PEOPLE)), phone(chance.randrange(PEOPLE))
            what = chance.choice(
                (Apart(one, other), LinksNobody(other), ClaimWithdrawn(one.text, other.text, None))
            )
            try:
                if standing and chance.random() < 0.4:
                    applying.withdraw(standing.pop(), Ordered("steward"))
                else:
                    standing.append(applying.rule(what, Ordered("steward"))[0].id)
            except (Conflict, NotFound):
                continue
            done.append(1)
    close(app)


@pytest.mark.slow
def test_rulings_while_callers_join_both_sides_and_others_rule(
    app: Flask, database_url: str, see: See
) -> None:
    before = deadlocks(database_url)
    for number in range(PEOPLE):
        see(email(number).text, phone(number).text)
    with FORKING.Manager() as manager:
        told, done = manager.list(), manager.list()
        hands = [FORKING.Process(target=_call, args=(database_url, n, told)) for n in (1, 2, 3)]
        hands += [FORKING.Process(target=_rule, args=(database_url, n, done)) for n in (4, 5)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(timeout=180)
        assert [hand.exitcode for hand in hands] == [0] * len(hands)
        answered, ruled = set(map(tuple, told)), len(done)

    report = verify()
    assert report.problems == []
    assert ruled > 10
    assert deadlocks(database_url) == before, "everybody locks in one order"
    columns = Claim.email, Claim.phone_number, Claim.source
    with db.engine.connect() as connection:
        on_record = {tuple(row) for row in connection.execute(select(*columns))}
    assert answered <= on_record, "no call that was answered is lost"


@pytest.mark.slow
def test_rulings_while_an_import_runs(app: Flask, database_url: str, tmp_path: Path) -> None:
    rows: list[Call] = [(f"{n}@file.example", "0000000000") for n in range(600)]
    rows += [(f"{n}@file.example", f"66{n % 500}") for n in range(20_000)]
    importer = importing(database_url, write(tmp_path / "large.csv", rows))
    nobody, standing = Value(Kind.PHONE, "0000000000"), None
    while importer.poll() is None:
        ruling, _ = applying.rule(LinksNobody(nobody), Ordered("steward"))
        standing = ruling.id
        time.sleep(0.2)
        if importer.poll() is None:
            applying.withdraw(standing, Ordered("steward"))
            standing = None
    out = importer.communicate(timeout=120)[0]

    assert importer.returncode in (0, 1), out
    assert verify().problems == []
    if standing is not None:
        applying.withdraw(standing, Ordered("steward"))
        assert verify().problems == []


def _withdraw_in_small_parts(url: str, what: Any, begun: Event, undo: int | None) -> None:
    app = app_on(url)
    for room in (effects, applying):
        vars(room)["AT_ONCE"] = 20

    def watch(_: int) -> None:
        begun.set()
        time.sleep(0.05)

    with app.app_context():
        if undo:
            applying.withdraw(undo, Ordered("steward"), watch)
        else:
            applying.rule(what, Ordered("steward"), watch)
    close(app)


def broken_off(work: Callable[[Event], Any]) -> None:
    begun = FORKING.Event()
    process = work(begun)
    process.start()
    assert begun.wait(60)
    process.kill()
    process.join()
    assert process.exitcode < 0


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "AT_ONCE", 20)
    monkeypatch.setattr(applying, "AT_ONCE", 20)


@pytest.fixture
def night(see: See) -> SourceWithdrawn:
    """Two hundred customers, told by a source that had its columns shifted."""
    for number in range(200):
        see(f"{number}@night.example", f"77{number}", source="night")
        if number % 3 == 0:
            see(f"{number}@night.example", None, source="day")
        if number % 7 == 0:
            see(f"{number}@night.example", f"77{number + 1}", source="night")
    with db.engine.connect() as connection:
        moments = sorted(connection.scalars(select(Claim.told_at)))
    return SourceWithdrawn("night", moments[0], moments[-1].replace(year=moments[-1].year + 1))


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("ending", ["finished", "taken back"])
def test_a_ruling_killed_half_way_is_finished_or_taken_back_by_saying_it_again(
    app: Flask, database_url: str, night: SourceWithdrawn, ending: str
) -> None:
    before, planned = tables(), applying.plan(night)

    broken_off(
        lambda begun: FORKING.Process(
            target=_withdraw_in_small_parts, args=(database_url, night, begun, None)
        )
    )

    half = verify()
    assert half.problems == []
    assert "ruling 1 is being applied" in half.unfinished[0]
    assert tables() != before
    if ending == "finished":
        _, done = applying.rule(night, Ordered("steward"))
        assert done.fingerprint == planned.fingerprint
        assert not verify().unfinished
        with pytest.raises(Conflict):
            applying.rule(night, Ordered("steward"))
    applying.withdraw(1, Ordered("steward"))
    assert tables() == before
    assert verify().problems == verify().unfinished == []


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
def test_an_undo_killed_half_way_is_finished_by_saying_it_again(
    app: Flask, database_url: str, night: SourceWithdrawn
) -> None:
    before = tables()
    applying.rule(night, Ordered("steward"))

    broken_off(
        lambda begun: FORKING.Process(
            target=_withdraw_in_small_parts, args=(database_url, night, begun, 1)
        )
    )

    assert "is being taken back" in verify().unfinished[0]
    applying.withdraw(1, Ordered("steward"))
    assert tables() == before
    assert verify().problems == verify().unfinished == []
    with pytest.raises(Conflict):
        applying.withdraw(1, Ordered("steward"))


@pytest.mark.usefixtures("small_parts")
def test_a_ruling_in_parts_is_as_planned_and_undone(night: SourceWithdrawn) -> None:
    before, planned = tables(), applying.plan(night)

    ruling, done = applying.rule(night, Ordered("steward", planned=planned.fingerprint))

    assert done.fingerprint == planned.fingerprint
    assert done.as_json()["customers"] == planned.as_json()["customers"]
    applying.withdraw(ruling.id, Ordered("steward"))
    assert tables() == before


@pytest.mark.usefixtures("small_parts")
def test_a_ruling_in_parts_is_refused_when_it_is_not_as_planned(night: SourceWithdrawn) -> None:
    before = tables()

    with pytest.raises(Conflict) as refused:
        applying.rule(night, Ordered("steward", planned="another"))

    assert refused.value.told["plan"]["fingerprint"] == applying.plan(night).fingerprint
    assert tables() == before


@pytest.mark.slow
def test_two_rulings_that_only_together_connect_their_customers(app: Flask, see: See) -> None:
    """Each alone would read nothing of what the other is about."""

    def withdraw(ruling: int) -> None:
        with app.app_context():
            begin.wait()
            applying.withdraw(ruling, Ordered("steward"))

    for number in range(15):
        one, other, shared = f"a{number}@x.org", f"b{number}@x.org", f"555{number:03}"
        see(one, shared)
        see(other, shared)
        nobody, _ = applying.rule(LinksNobody(Value(Kind.PHONE, shared)), Ordered("steward"))
        claim, _ = applying.rule(ClaimWithdrawn(other, shared, None), Ordered("steward"))
        begin = Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(withdraw, (nobody.id, claim.id)))

        assert verify().problems == []
        assert see(one).primary_id == see(other).primary_id


@pytest.mark.slow
def test_a_call_with_a_value_that_is_about_to_link_again(app: Flask, see: See) -> None:
    """It is no customer's, so no customer's lock makes the one wait for the other."""

    def undo(ruling: int) -> None:
        with app.app_context():
            begin.wait()
            applying.withdraw(ruling, Ordered("steward"))

    def call(given: Identifiers) -> None:
        with app.app_context():
            begin.wait()
            identify(given, source="late")

    for number in range(15):
        one, other, shared = f"a{number}@x.org", f"c{number}@x.org", f"555{number:03}"
        see(one, shared)
        ruling, _ = applying.rule(LinksNobody(Value(Kind.PHONE, shared)), Ordered("steward"))
        begin = Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            done = pool.submit(undo, ruling.id), pool.submit(call, Identifiers(other, shared))
            for each in done:
                each.result()

        assert verify().problems == []
        assert see(one).primary_id == see(other).primary_id
