"""Forgetting: what is gone, what is left, and who somebody is afterwards."""

import base64
import csv
import gzip
import hashlib
import io
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.event import listen, remove
from werkzeug.test import TestResponse

from identity import clusters, database, explaining
from identity.database import db
from identity.erasing import applying, clearing, register
from identity.erasing.reach import Wanted
from identity.errors import Conflict, Gone, InvalidInput, NotFound
from identity.identifiers import Identifiers, parse_one
from identity.importing import uploads
from identity.models import Erasure, Finding, Import, Reference, Sweep
from identity.reconciliation import identify
from identity.reviewing import sweeping
from identity.rulings import applying as rulings
from identity.rulings import register as ruled
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn, LinksNobody, Unnamed, What
from identity.verification import verify
from tests import pages
from tests.bringing import bring
from tests.conftest import See
from tests.crowding import large_customer
from tests.postgres import binaries
from tests.standing import live

EMAIL, PHONE = "marty@hillvalley.edu", "+16502530001"
AS_TYPED = "Marty@HillValley.EDU", "+1 (650) 253-0001", "650 253 0001", "650.253.0001"
DIGITS = "16502530001", "6502530001", "2530001"


def wanted(*typed: str) -> Wanted:
    return Wanted(frozenset(map(parse_one, typed)))


def forget(*typed: str, **how: Any) -> register.Registered:
    return applying.erase(wanted(*typed), Ordered("Doc", **how))[0]


def everything() -> Iterator[str]:
    """Yield whatever stands in any column of any table, as text."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            # Its own notes on what is frequent in the tables as well.
            tables = (
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'p') UNION SELECT 'pg_statistic'"
            )
        for table in connection.scalars(text(tables)).all():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for cell in row:
                    told = bytes(cell) if isinstance(cell, memoryview | bytes) else str(cell)
                    yield told if isinstance(told, str) else told.decode("latin-1")


def spellings() -> Iterator[str]:
    """Yield the person's identifiers in every spelling, and unkeyed hashes of them."""
    for value in (EMAIL, PHONE, *AS_TYPED, *DIGITS[:2]):
        yield from (value, value.upper(), value.lower())
        for kind in ("md5", "sha1", "sha256"):
            for spelt in {value, value.lower(), value.upper()}:
                digest = hashlib.new(kind, spelt.encode()).digest()
                yield digest.hex()
                yield digest.hex().upper()
                yield base64.b64encode(digest).decode()
                yield base64.urlsafe_b64encode(digest).decode().rstrip("=")
                yield digest.decode("latin-1")
    yield "marty@"
    yield "Marty@"


def left() -> set[str]:
    """Return what is left of the person anywhere in the database."""
    told = "\n".join(everything())
    return {spelt for spelt in spellings() if spelt in told}


@pytest.fixture
def everywhere(client: FlaskClient, see: See) -> FlaskClient:
    """Put a person into every place that there is for one."""
    see(EMAIL, PHONE, source="checkout")
    see(AS_TYPED[0], AS_TYPED[1], source="till")
    see("doc@hillvalley.edu", PHONE)
    see("jennifer@hillvalley.edu", "5559001")
    identify(
        Identifiers.parse(EMAIL, None), source="crm", reference="Marty@HillValley.EDU", name="Marty"
    )
    identify(Identifiers.parse("doc@hillvalley.edu", None), source="crm", reference="7", name=EMAIL)
    bring(b"email,phone\nMARTY@hillvalley.edu,6502530001\nbiff@hillvalley.edu,1\n", region="US")
    rule(Apart(parse_one(EMAIL), parse_one("jennifer@hillvalley.edu")), reason=f"Not {PHONE}.")
    see(EMAIL, "5559001")
    for undone in (
        LinksNobody(parse_one(PHONE)),
        ClaimWithdrawn(EMAIL, PHONE, "till"),
        ClaimWithdrawn("doc@hillvalley.edu", PHONE, None),
    ):
        ruling_id = rule(undone, reason="Marty@HillValley.EDU said so: 650-253-0001.")
        rulings.withdraw(ruling_id, Ordered("Doc", "650 253 0001 called."))
    rule(ClaimWithdrawn(EMAIL, PHONE, "till"))
    found = [
        ("shared", f"phone:{PHONE}", {"reason": None, "named": 1, "examples": [EMAIL, "x"]}),
        ("shared", "phone:5559001", {"reason": None, "named": 1, "examples": [EMAIL, "x"]}),
        ("bridge", json.dumps([EMAIL, PHONE]), {"email_side": EMAIL, "phone_side": [PHONE]}),
    ]
    with db.engine.begin() as connection:
        for kind, subject, detail in found:
            told = {"kind": kind, "subject": subject, "many": 5, "detail": detail}
            connection.execute(insert(Finding).values(**told, found_at=datetime.now(UTC)))
        connection.execute(text("DELETE FROM link"))
        connection.execute(
            text("INSERT INTO link VALUES (:email, :phone, 'web', :now)"),
            {"email": EMAIL, "phone": PHONE, "now": str(datetime.now(UTC))},
        )
    rejected = f"nobody,{AS_TYPED[1]}\n,x\nfoo,call 650-253-0001\nbar,2\n"
    upload(client, f"Email,Phone\n{rejected}", "rejects.csv")
    for number, content in enumerate(WAITING):
        choose(client, content, f"waiting-{number}-{EMAIL}.csv")
    choose(client, b"Email,Phone\nclara@hillvalley.edu,555\n", "of others.csv")
    return client


WAITING = (
    b"Email,Phone\nMarty@HillValley.EDU,\n",
    b"\xef\xbb\xbfE-Mail;Telefon;Name\nx@y.org;650 253 0001;Marty\n",
    "Email\tPhone\nmarty@hillvalley.edu\t\n".encode("utf-16"),
    gzip.compress(b"Email,Phone\nsomebody@else.org,(650) 253-0001\n"),
)


def rule(what: What, reason: str | None = None) -> int:
    return rulings.rule(what, Ordered("Doc", reason))[0].id


def choose(client: FlaskClient, content: bytes, name: str) -> TestResponse:
    token = pages.field(client.get("/import"), "csrf_token")
    given = {"csrf_token": token, "file": (io.BytesIO(content), name)}
    return pages.send(client, "/import", given)


def upload(client: FlaskClient, content: str, name: str) -> TestResponse:
    plan = choose(client, content.encode(), name)
    given = {"csrf_token": pages.field(plan, "csrf_token"), "plan": pages.field(plan, "plan")}
    return pages.send(client, plan.request.path, given)


def test_nothing_is_left_of_a_person_in_any_column_of_any_table(everywhere: FlaskClient) -> None:
    # Kept apart, told, ruled, found, rejected and waiting.
    assert {EMAIL, PHONE, "Marty@HillValley.EDU"} <= left()

    erasure = forget(EMAIL, PHONE)

    # PostgreSQL's notes of its tables come with the space.
    assert clearing.clear()
    assert left() == set()
    assert verify().problems == []
    counts = erasure.counts
    assert all(counts.values())
    assert (counts["identifiers"], counts["files"], counts["rejects"]) == (2, 4, 2)


@pytest.mark.parametrize("others", [0, 30])
def test_what_a_source_calls_others_does_not_name_them_either(see: See, others: int) -> None:
    see(EMAIL, PHONE)
    odd = "M\N{LATIN SMALL LETTER A WITH DIAERESIS}rz \uff16\uff15\uff10 253-0001"
    called = [
        ("1", f"Marty <{EMAIL}>"),
        ("(650) 253-0001", "Marty"),
        ("2", odd),
        ("3", "McFly (Marty@HillValley.EDU)"),
    ]
    kept = [("6502530002", "Marty"), ("4", "Doc <doc@hillvalley.edu>"), ("6-50 25 31 00 02", "")]
    for reference, name in called + kept:
        given = Identifiers("doc@hillvalley.edu", None)
        identify(given, source="crm", reference=reference, name=name)

    forget(EMAIL, PHONE, *(f"{number}@x.org" for number in range(others)))

    with db.engine.connect() as connection:
        rows = connection.execute(select(Reference.reference, Reference.name)).all()
    assert {tuple(row) for row in rows} == set(kept)


def test_what_is_of_others_stays(everywhere: FlaskClient) -> None:
    forget(EMAIL, PHONE)

    told = "\n".join(everything())
    for value in "doc@hillvalley.edu", "jennifer@hillvalley.edu", "biff@hillvalley.edu", "5559001":
        assert value in told
    with db.engine.connect() as connection:
        kept = connection.execute(select(Import.file_name, Import.content, Import.rejects)).all()
        subjects = connection.execute(select(Finding.subject, Finding.detail)).all()
    assert ("of others.csv", b"Email,Phone\nclara@hillvalley.edu,555\n", None) in [
        *map(tuple, kept)
    ]
    (rejected,) = [each.rejects for each in kept if each.rejects]
    rows = csv.reader(rejected.decode("utf-8-sig").splitlines())
    assert [row[2:] for row in rows] == [["Email", "Phone"], ["", "x"], ["bar", "'2"]]
    assert [tuple(each) for each in subjects] == [
        ("phone:5559001", {"reason": None, "named": 1, "examples": ["x"]})
    ]


def test_a_plan_is_what_happens_and_changes_nothing(everywhere: FlaskClient) -> None:
    before = sorted(everything())

    planned = applying.plan(wanted(EMAIL, PHONE))

    assert sorted(everything()) == before
    registered, done = applying.erase(
        wanted(EMAIL, PHONE), Ordered("Doc", planned=planned.fingerprint)
    )
    assert done.as_json() == planned.as_json()
    assert (registered.counts, registered.said.by) == (planned.counts, "Doc")
    assert [each.file_name[:7] for each in planned.waiting] == ["waiting"] * len(WAITING)
    assert planned.sources == ["checkout", "crm", "feed:plain", "test", "till"]


def test_what_others_told_too_stays_and_what_only_they_told_goes(see: See) -> None:
    see(EMAIL, PHONE)
    see(EMAIL, "5551111")
    see("doc@hillvalley.edu", "5551111")
    see("doc@hillvalley.edu", "5552222")

    forget(EMAIL)

    # Nobody else told of that phone number.
    assert [row[:4] for row in live()] == [
        (3, "doc@hillvalley.edu", "5551111", None),
        (4, "doc@hillvalley.edu", "5552222", 3),
    ]
    assert see("doc@hillvalley.edu").primary_id == 3
    assert verify().problems == []


def test_a_customer_may_fall_apart_and_old_ids_say_who_is_left(see: See) -> None:
    see("doc@hillvalley.edu", "5551111")
    see(EMAIL, "5551111")
    see(EMAIL, "5552222")
    see("biff@hillvalley.edu", "5552222")
    planned = applying.plan(wanted(EMAIL)).as_json()

    erasure = forget(EMAIL)

    (change,) = planned["changes"]
    assert [each["primaryContactId"] for each in change["before"]] == [1]
    assert [each["primaryContactId"] for each in change["after"]] == [1, 4]
    assert erasure.changes == [{"before": [1], "after": [1, 4]}]
    with database.reading() as connection:
        assert explaining.now(connection, 2) == explaining.now(connection, 3) == [1, 4]
        assert clusters.with_contact(connection, 2) is None
    see("doc@hillvalley.edu", "5552222")
    forget("doc@hillvalley.edu", "5551111")
    with database.reading() as connection:
        assert explaining.now(connection, 2) == explaining.now(connection, 1) == [4]
    forget("biff@hillvalley.edu", "5552222")
    with database.reading() as connection:
        assert explaining.now(connection, 4) == explaining.now(connection, 2) == []
        assert explaining.now(connection, 99) is None


def test_a_customer_is_forgotten_by_the_id_of_any_of_its_contacts(see: See) -> None:
    see(EMAIL, PHONE)
    see("marty@work.example", PHONE)
    see("doc@hillvalley.edu")

    applying.erase(Wanted(customer=2), Ordered("Doc"))

    assert [row[:4] for row in live()] == [(3, "doc@hillvalley.edu", None, None)]
    with pytest.raises(Gone) as gone:
        applying.plan(Wanted(customer=2))
    assert gone.value.now == []
    with pytest.raises(NotFound, match="There is no contact 99"):
        applying.plan(Wanted(customer=99))


def test_somebody_nobody_knows_is_kept_out_as_well(see: See) -> None:
    see("doc@hillvalley.edu")

    erasure = forget(EMAIL)

    assert erasure.changes == []
    assert see("doc@hillvalley.edu").primary_id == 1


def test_what_is_overtaken_is_not_done(see: See) -> None:
    see(EMAIL, PHONE)
    planned = applying.plan(wanted(EMAIL))
    see("doc@hillvalley.edu", PHONE)

    with pytest.raises(Conflict) as problem:
        forget(EMAIL, planned=planned.fingerprint)

    assert problem.value.told["plan"]["phoneNumbers"] == []
    assert len(live()) == 2
    assert register.latest() == ([], False)
    assert forget(EMAIL, planned=problem.value.told["plan"]["fingerprint"]).id


def test_what_links_nobody_is_no_persons(see: See) -> None:
    see(EMAIL, "5550000")
    rule(LinksNobody(parse_one("5550000")))

    with pytest.raises(Conflict, match="links nobody"):
        forget("5550000")
    forget(EMAIL)

    # Told by nobody else, and still it is not theirs.
    assert verify().problems == []
    assert not left() & {EMAIL}
    assert "5550000" in "\n".join(everything())


def test_a_reason_may_not_name_who_is_forgotten(see: See) -> None:
    see(EMAIL, PHONE)

    with pytest.raises(InvalidInput, match="reason must not name") as problem:
        forget(EMAIL, reason="MARTY@hillvalley.edu asked for it.")

    assert set(problem.value.fields) == {"reason"}
    assert len(live()) == 1


def test_a_ruling_that_named_them_stands_no_more(see: See) -> None:
    see(EMAIL, PHONE)
    see("doc@hillvalley.edu", "5551111")
    ruling_id = rule(Apart(parse_one(EMAIL), parse_one("doc@hillvalley.edu")))
    see(EMAIL, "5551111")

    forget(EMAIL)

    registered, plan = rulings.get(ruling_id)
    assert registered.what == Unnamed(registered.what.kind)
    assert registered.withdrawn
    assert registered.withdrawn.by == "Doc"
    assert plan["fingerprint"] == ""
    with pytest.raises(Conflict, match="withdrawn already"):
        rulings.withdraw(ruling_id, Ordered("Doc"))
    assert [each.id for each in ruled.latest()[0]] == [ruling_id]
    assert verify().problems == []


def test_what_was_held_back_because_of_them_joins_without_them(see: See) -> None:
    see(EMAIL, PHONE)
    see("clara@hillvalley.edu", PHONE)
    see("doc@hillvalley.edu", "5551111")
    rule(Apart(parse_one(EMAIL), parse_one("doc@hillvalley.edu")))
    see("doc@hillvalley.edu", PHONE)
    assert len({row[3] or row[0] for row in live()}) == 2

    erasure = forget(EMAIL)

    assert len({row[3] or row[0] for row in live()}) == 1
    assert erasure.changes == [{"before": [1, 3], "after": [2]}]
    assert verify().problems == []


def test_a_sweep_that_read_them_before_writes_nothing_afterwards(see: See) -> None:
    see(EMAIL, PHONE)
    with database.reading() as connection:
        before = sweeping.state(connection)
    forget(EMAIL)

    with db.engine.begin() as connection:
        assert not sweeping._move_on(connection, before, before._replace(done=9))
        begun = sweeping.state(connection)
    see("doc@hillvalley.edu", "5551111")
    forget("doc@hillvalley.edu")
    with db.engine.begin() as connection:
        assert not sweeping._move_on(connection, begun, begun._replace(done=9))
        assert connection.scalar(select(Sweep.done)) is None


def test_a_file_that_is_being_imported_just_now_is_waited_for(everywhere: FlaskClient) -> None:
    chosen = select(Import.id).where(Import.content.is_not(None)).order_by(Import.id).limit(1)
    with database.reading() as connection:
        import_id = connection.scalar(chosen) or 0
    assert uploads.begin(import_id, uploads.IMPORTING)

    with pytest.raises(Conflict, match=f"Import {import_id} mentions them and is running"):
        forget(EMAIL)

    assert EMAIL in left()


def test_space_that_could_not_be_given_back_is_given_back_later(see: See, app: Flask) -> None:
    see(EMAIL, PHONE)
    with db.engine.begin() as connection:
        connection.execute(insert(Erasure).values(ERASURE))

    assert clearing.clear()

    assert register.get(1).cleared_at
    with pytest.raises(NotFound, match="There is no erasure 2"):
        register.get(2)


ERASURE = {"by": "Doc", "at": datetime(2026, 1, 1, tzinfo=UTC), "counts": {}, "changes": []}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_no_byte_of_the_file_is_left_of_them(everywhere: FlaskClient, database_url: str) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    assert EMAIL.encode() in b"".join(map(Path.read_bytes, file.parent.glob(f"{file.name}*")))

    assert forget(EMAIL, PHONE).cleared_at

    told = b"".join(map(Path.read_bytes, file.parent.glob(f"{file.name}*"))).decode("latin-1")
    assert not {spelt for spelt in spellings() if spelt in told}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_while_others_read_it_is_cleared_later(
    see: See, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    see(EMAIL, PHONE)
    monkeypatch.setattr(clearing, "PATIENCE", 0)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as other:
        other.isolation_level = None
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM contact").fetchall()
        assert forget(EMAIL).cleared_at is None

    assert clearing.clear()

    assert register.get(1).cleared_at
    told = Path(database_url.removeprefix("sqlite:///")).read_bytes()
    assert EMAIL.encode() not in told


@pytest.mark.parametrize("backend", ["sqlite"])
def test_the_file_is_written_anew_once_however_long_others_read(
    see: See, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    see(EMAIL, PHONE)
    see("doc@hillvalley.edu", "5554385")
    monkeypatch.setattr(clearing, "PATIENCE", 0)
    file = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as other:
        other.isolation_level = None
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM contact").fetchall()
        forget(EMAIL)
        written = Path(f"{file}-wal").stat().st_size

        assert not clearing.clear()
        assert not clearing.clear(0.1)

        assert Path(f"{file}-wal").stat().st_size == written
        forget("doc@hillvalley.edu")
        assert Path(f"{file}-wal").stat().st_size > written
    assert clearing.clear()


@pytest.mark.parametrize("backend", ["postgresql"])
def test_who_does_not_own_the_tables_gives_nothing_back(see: See) -> None:
    see(EMAIL, PHONE)
    assert forget(EMAIL).cleared_at is None
    with db.engine.connect() as connection:
        connection.execute(text("CREATE ROLE biff"))
        connection.execute(text("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO biff"))
        connection.execute(text("SET LOCAL ROLE biff"))

        assert not clearing.may(connection)

        connection.rollback()
        assert clearing.may(connection)
    assert clearing.clear()
    assert register.get(1).cleared_at


@pytest.mark.parametrize("backend", ["postgresql"])
def test_nothing_is_left_in_a_dump_either(everywhere: FlaskClient, database_url: str) -> None:
    forget(EMAIL, PHONE)

    command = [str(binaries() / "pg_dump"), "--dbname", database_url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "doc@hillvalley.edu" in told
    assert not {spelt for spelt in spellings() if spelt in told}


@pytest.mark.usefixtures("app")
def test_a_large_customer_takes_no_statement_for_each_contact() -> None:
    large_customer(3_000)
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    for engine in db.engines.values():
        listen(engine, "before_cursor_execute", note)

    erasure, _ = applying.erase(Wanted(customer=1), Ordered("Doc"))

    for engine in db.engines.values():
        remove(engine, "before_cursor_execute", note)
    assert erasure.counts["contacts"] == erasure.counts["claims"] == 3_000
    assert live() == []
    assert len(sent) < 300
