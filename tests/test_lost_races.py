"""Whoever comes second reads again, and what the database writes to its own log names nobody."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from identity import clusters, database, faults, forgetting
from identity.batching import taking
from identity.database import db, trying
from identity.errors import Contended, LostRace
from identity.forgetting import shutting
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim, Contact, Event, KeptApart, Reference, Ruling
from identity.reconciliation import identify
from identity.rulings import applying, register
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart
from identity.rulings.register import Said
from identity.verification import verify
from identity.writing.loads import REFERENCES
from tests.bringing import as_file, bring
from tests.conftest import See
from tests.oracle import Call, assert_as_if_one_by_one
from tests.postgres import Postgres
from tests.tables import count

PERSONAL = re.compile(r"@|555-?\d{4}|hillvalley")
PAIR: Call = ("doc@hillvalley.edu", "5554385")
APART = Apart(Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "5551985"))


@pytest.fixture
def told(backend: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], list[str]]]:
    """What PostgreSQL has written to its log since the test began; SQLite has none."""
    if backend == "sqlite":
        yield list
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    before = server.log.stat().st_size

    def lines() -> list[str]:
        return server.log.read_bytes()[before:].decode().splitlines()

    yield lines
    assert not [line for line in lines() if PERSONAL.search(line)]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let somebody else come first, once, between our first reading and our decision."""

    def come(somebody: Callable[[], Any], place: Any = clusters, name: str = "find") -> None:
        read, left = getattr(place, name), [somebody]

        def reading(*given: Any) -> Any:
            found = read(*given)
            if left:
                left.pop()()
            return found

        monkeypatch.setattr(place, name, reading)

    return come


# Whoever loses one of two has taken the other already, and gives it back.
OTHERS: list[list[Call]] = [[PAIR], [(PAIR[0], "5550001")], [("marty@hillvalley.edu", PAIR[1])]]


@pytest.mark.parametrize("others", [*OTHERS, OTHERS[1] + OTHERS[2]], ids=str)
@pytest.mark.usefixtures("app")
def test_a_new_customer_whom_somebody_else_told_of_first(
    see: See,
    meanwhile: Callable[..., None],
    told: Callable[[], list[str]],
    others: list[Call],
) -> None:
    see("biff@hillvalley.edu", "5550002")
    meanwhile(lambda: [see(*other) for other in others])

    see(*PAIR)

    assert_as_if_one_by_one([("biff@hillvalley.edu", "5550002"), *others, PAIR])
    errors = [line for line in told() if "ERROR" in line]
    # Of two that are both lost nothing is said at all.
    assert all("another call took one of two identifiers" in line for line in errors)
    assert len(errors) <= (others in (OTHERS[1], OTHERS[2]))


# On SQLite nobody writes between our second reading and our writing.
@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.parametrize("lost", ["5550001", "marty@hillvalley.edu"])
@pytest.mark.usefixtures("app")
def test_something_new_about_a_customer_that_another_gave_first(
    see: See, meanwhile: Callable[..., None], told: Callable[[], list[str]], lost: str
) -> None:
    known, ours = (PAIR[0], "5550001") if lost.isdigit() else (lost, PAIR[1])
    see(*PAIR)
    first: list[Call] = [(None, lost) if lost.isdigit() else (lost, None)]
    meanwhile(lambda: meanwhile(lambda: [see(*each) for each in first]))

    see(known, ours)

    assert_as_if_one_by_one([PAIR, *first, (known, ours)])
    assert not [line for line in told() if "ERROR" in line]


@pytest.mark.usefixtures("app")
def test_an_import_whose_people_a_caller_told_of_first(
    see: See, meanwhile: Callable[..., None], told: Callable[[], list[str]], backend: str
) -> None:
    rows: list[Call] = [(f"{number}@hillvalley.edu", f"555{number:04}") for number in range(50)]
    first: list[Call] = [("7@hillvalley.edu", None), (None, "5550009"), ("8@hillvalley.edu", "1")]
    if backend == "postgresql":
        meanwhile(lambda: [see(*each) for each in first], taking, "look_now")
    else:
        # Its transaction is the only one while it looks.
        for each in first:
            see(*each)

    tally = bring(as_file([(*row, None, "") for row in rows]))

    assert tally.rejected == 0
    assert_as_if_one_by_one([*first, *rows])
    assert not [line for line in told() if "ERROR" in line]


@pytest.mark.usefixtures("app")
def test_keys_of_everything_else_are_lost_without_an_error_too(
    see: See, told: Callable[[], list[str]]
) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    said = Said("test", datetime.now(UTC), None)
    ruled, _ = applying.rule(APART, Ordered("test"))
    identify(Identifiers(*PAIR), source="test", reference="doc@hillvalley.edu")
    before = [count(table) for table in (Contact, Claim, Event, Reference, Ruling, KeptApart)]
    (one, other) = ((value.kind.value, value.text) for value in (APART.one, APART.other))
    claim = 1

    ways: list[Callable[[Any], object]] = [
        lambda connection: register.add(connection, APART, said, in_parts=False),
        lambda connection: applying.KEPT_APART.insert(connection, [(*one, *other, ruled.id)]),
        lambda connection: REFERENCES.insert(
            connection, [(claim, "new", "", None), (claim, "doc@hillvalley.edu", "", None)]
        ),
    ]
    for way in ways:
        with pytest.raises(LostRace), database.transaction() as connection:
            way(connection)

    assert before == [
        count(table) for table in (Contact, Claim, Event, Reference, Ruling, KeptApart)
    ]
    assert not [line for line in told() if "ERROR" in line]
    assert verify().problems == []


SAID = {
    'XX000 duplicate key value violates unique constraint "pk_identifier_102049"': True,
    'XX000 duplicate key value violates unique constraint "pk_contact_102049"': False,
    'XX000 index "pk_identifier" contains unexpected zero page at block 1': False,
    '23505 duplicate key value violates unique constraint "uq_ruling_what"': True,
    "23505 doppelter Schlüsselwert verletzt Unique-Constraint »pk_reference_102011«": True,
    '23505 duplicate key value violates unique constraint "pk_identifier_of_others"': False,
    "40001 could not serialize access due to read/write dependencies": True,
    "22012 division by zero": False,
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_race_is_known_to_be_lost_by_what_an_engine_says(
    database_url: str, said: str, backend: str
) -> None:
    state, words = said.split(" ", 1)
    refuse = f"DO $$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = '{state}'; END $$"

    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(refuse)

    assert faults.lost_race(refused.value) is SAID[said]


@pytest.mark.usefixtures("app")
def test_what_took_longer_than_patience_lasts_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[float] = []
    monkeypatch.setattr(trying, "PATIENCE", 0.2)

    def decide() -> int:
        tries.append(monotonic())
        if len(tries) == 1:
            # As an erasure of much does.
            while monotonic() < tries[0] + 0.3:
                sleep(0.1)
            raise LostRace("somebody came first")
        return len(tries)

    with database.unhurried():
        assert database.retrying(decide) == 2
    tries.clear()
    with pytest.raises(Contended):
        database.retrying(decide)


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.usefixtures("app")
def test_an_erasure_lets_others_go_first_while_the_identifiers_are_vacuumed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutting, "SHORTLY", "10ms")
    told = text("SHOW lock_timeout")
    with db.engine.begin() as vacuuming:
        # What VACUUM holds.
        vacuuming.execute(text("LOCK TABLE identifier IN SHARE UPDATE EXCLUSIVE MODE"))
        with pytest.raises(LostRace), database.transaction() as connection:
            forgetting.shut_out(connection)

    with database.transaction() as connection:
        before = connection.scalar(told)
        forgetting.shut_out(connection)
        assert connection.scalar(told) == before


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.usefixtures("app")
def test_whoever_is_stopped_amid_a_statement_is_stopped() -> None:
    def stopped() -> None:
        with database.transaction() as connection:
            driver: Any = connection.connection.driver_connection
            driver.pgconn.send_query(b"SELECT pg_sleep(1)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.retrying(stopped)
