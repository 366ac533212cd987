"""An upgrade as it happens: the version before answers until this one does, and then some."""

import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask_migrate import downgrade
from sqlalchemy import text

from identity import ROOT
from identity.database import db
from identity.verification import verify
from tests.conftest import MakeDatabase, app_on, close, migrate
from tests.oracle import Call, partition
from tests.postgres import Postgres
from tests.serving import Server, free_port, serving, started

pytestmark = pytest.mark.slow

BEFORE = "680cf6f"
"""The last commit whose tables know no claims."""

DAY_ONE: list[Call] = [
    ("lorraine@hillvalley.edu", "123456"),
    ("mcfly@hillvalley.edu", "123456"),
    ("george@hillvalley.edu", "919191"),
    ("biffsucks@hillvalley.edu", "717171"),
    ("george@hillvalley.edu", "717171"),
    ("doc@hillvalley.edu", None),
]
DAY_TWO: list[Call] = [
    # New customers, and more of old ones.
    ("marty@hillvalley.edu", "5550001"),
    (None, "5554385"),
    ("marty@hillvalley.edu", "5550002"),
    ("lorraine@hillvalley.edu", "123457"),
    # Customers of both days turn out to be one.
    ("doc@hillvalley.edu", "5554385"),
    ("george@hillvalley.edu", "5550001"),
    # Known identifiers of one customer, together for the first time.
    ("mcfly@hillvalley.edu", "123457"),
    # Nothing new.
    ("mcfly@hillvalley.edu", "123456"),
    ("marty@hillvalley.edu", "5550001"),
]
DAY_THREE: list[Call] = [
    ("jennifer@hillvalley.edu", "5550003"),
    ("jennifer@hillvalley.edu", "5550002"),
    ("strickland@hillvalley.edu", None),
    ("strickland@hillvalley.edu", "5550004"),
    ("emmett@brown.org", "5554385"),
    ("emmett@brown.org", "123456"),
]
FILE = """email,phone,created_at
doc@hillvalley.edu,5550009,1975-11-05
clara@hillvalley.edu,5550009,1972-09-02
verne@hillvalley.edu,,
"""
TOLD_BY_FILE: list[Call] = [
    ("doc@hillvalley.edu", "5550009"),
    ("clara@hillvalley.edu", "5550009"),
    ("verne@hillvalley.edu", None),
]


@dataclass
class Version:
    """The code of one version, and the database that all versions share."""

    code: Path
    folder: Path
    url: str
    workers: int = 1

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "DATABASE_URL": self.url, "SECRET_KEY": "hello, McFly"}

    def flask(self, *arguments: str) -> str:
        """Run a command of this version, and return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=self.code, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def take_back(self) -> None:
        """Give the database the tables of the version before."""
        app = app_on(self.url)
        with app.app_context():
            downgrade(revision="0004")
            close(app)

    def serve(self) -> AbstractContextManager[Server]:
        """Serve the database with this version until the block ends."""
        if self.code == ROOT:
            return serving(self.url, self.folder, WEB_CONCURRENCY=self.workers)
        port = free_port()
        gunicorn = str(Path(sys.executable).parent / "gunicorn")
        given = {"PORT": str(port), "WEB_CONCURRENCY": str(self.workers)}
        log = self.folder / "before.log"
        return started([gunicorn, "wsgi:app"], self.code, log, port, self.environment | given)


@pytest.fixture(scope="module")
def code_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the version before."""
    folder = tmp_path_factory.mktemp("before")
    packed = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True)
    if packed.returncode:
        pytest.fail(f"this copy of the repository does not go back to {BEFORE}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def file_before(code_before: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables of the version before."""
    folder = tmp_path_factory.mktemp("file")
    Version(code_before, folder, f"sqlite:///{folder}/before.sqlite3").flask("db", "upgrade")
    return folder / "before.sqlite3"


@pytest.fixture(scope="module")
def database_before(code_before: Path, postgres_server: Postgres, tmp_path_factory: Any) -> str:
    """The name of a database with the tables of the version before."""
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE before")
    folder, url = tmp_path_factory.mktemp("database"), postgres_server.url("before")
    Version(code_before, folder, url).flask("db", "upgrade")
    return "before"


@pytest.fixture
def address(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database with the tables of the version before."""
    if backend == "sqlite":
        made = shutil.copy(request.getfixturevalue("file_before"), tmp_path / "identity.sqlite3")
        return f"sqlite:///{made}"
    make: MakeDatabase = request.getfixturevalue("make_database")
    return make(request.getfixturevalue("database_before"))


@pytest.fixture
def before(code_before: Path, address: str, tmp_path: Path) -> Version:
    """The version before, on a database with its tables."""
    return Version(code_before, tmp_path, address)


@pytest.fixture
def now(address: str, tmp_path: Path) -> Version:
    """This version."""
    return Version(ROOT, tmp_path, address)


def tell(server: Server, calls: Iterable[Call]) -> list[Call]:
    """Make calls one after another, and return them."""
    told = list(calls)
    for call in told:
        status, answer, _ = server.identify(*call)
        assert status == 200, answer
    return told


def customers(calls: Iterable[Call]) -> set[frozenset[str]]:
    """Return who belongs together after those calls, in whatever order they were made."""
    return set(map(frozenset, partition(calls)))


@pytest.fixture
def stored(address: str) -> Iterator[None]:
    """Look into the database with this version."""
    app = app_on(address)
    with app.app_context():
        yield
        close(app)


def stored_customers() -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    with db.engine.connect() as connection:
        for primary_id, value in connection.execute(text(HELD)):
            found.setdefault(primary_id, set()).add(value)
    return set(map(frozenset, found.values()))


HELD = """
SELECT coalesce(contact.linked_id, contact.id), identifier.value
FROM identifier JOIN contact ON contact.id = identifier.contact_id
"""


def assert_nothing_is_lost(calls: list[Call]) -> None:
    """Compare the tables of this version with what was told, whoever was told it."""
    report = verify()
    assert report.problems == []
    assert stored_customers() == customers(calls)
    with db.engine.connect() as connection:
        rows = connection.execute(text("SELECT email, phone_number FROM claim"))
        claimed = {tuple(row) for row in rows}
        left = connection.scalar(text("SELECT count(*) FROM event WHERE NOT in_claims"))
    assert {call for call in calls if all(call)} <= claimed
    assert left == 0


@pytest.mark.usefixtures("stored")
def test_the_version_before_goes_on_answering_beside_this_one(
    before: Version, now: Version, tmp_path: Path
) -> None:
    (tmp_path / "customers.csv").write_text(FILE)
    with before.serve() as old:
        calls = tell(old, DAY_ONE)
        migrate(now.url)
        calls += tell(old, DAY_TWO)
        before.flask("identity", "import", str(tmp_path / "customers.csv"))
        calls += TOLD_BY_FILE
        assert old.ask("GET", "/ready")[0] == 200
        with now.serve() as new:
            for n, call in enumerate(DAY_THREE):
                one, other = (old, new) if n % 2 else (new, old)
                calls += tell(one, [call])
                assert other.identify(*call)[:2] == one.identify(*call)[:2]
            assert [new.identify(*call)[1] for call in calls] == [
                old.identify(*call)[1] for call in calls
            ]

    assert_nothing_is_lost(calls)


@pytest.mark.usefixtures("stored")
def test_an_upgrade_under_load_loses_no_answered_call(before: Version, now: Version) -> None:
    before.workers = now.workers = 2
    with before.serve() as old, ThreadPoolExecutor(6) as callers:
        answered = tell(old, about(60, 100, seed=1))
        hands = [callers.submit(call_through, [old], about(60, 80, seed)) for seed in (2, 3, 4)]
        now.flask("db", "upgrade")
        with now.serve() as new:
            hands += [
                callers.submit(call_through, servers, about(60, 80, seed))
                for seed, servers in enumerate(([new], [old], [old, new]), start=5)
            ]
            for hand in hands:
                answered += hand.result(timeout=120)

    assert len(answered) > 500
    assert_nothing_is_lost(answered)


def about(people: int, calls: int, seed: int) -> list[Call]:
    """Return calls that often are about the same customers."""
    chance = random.Random(seed)
    emails = [None, *(f"p{n}@hillvalley.edu" for n in range(people))]
    phones = [f"55{n:05}" for n in range(people)]
    return [(chance.choice(emails), chance.choice(phones)) for _ in range(calls)]


def call_through(servers: list[Server], calls: list[Call]) -> list[Call]:
    """Make calls, by turns, and return them; told to come again, come again."""
    for n, call in enumerate(calls):
        for _ in range(5):
            status, answer, _ = servers[n % len(servers)].identify(*call)
            if status != 503:
                break
        assert status == 200, answer
    return calls


def test_the_version_before_may_come_back(before: Version, now: Version, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(FILE)
    with before.serve() as old:
        calls = tell(old, DAY_ONE)
        migrate(now.url)
        calls += tell(old, DAY_TWO)

    now.take_back()
    with before.serve() as old:
        calls += tell(old, [*DAY_THREE, *calls])

    assert "no drift" in before.flask("identity", "verify")


@pytest.mark.usefixtures("stored")
def test_this_version_may_come_back_too(before: Version, now: Version) -> None:
    migrate(now.url)
    with now.serve() as new:
        calls = tell(new, DAY_ONE)
    now.take_back()
    with before.serve() as old:
        calls += tell(old, DAY_TWO)
    assert "no drift" in before.flask("identity", "verify")

    migrate(now.url)
    with now.serve() as new:
        calls += tell(new, DAY_THREE)

    assert_nothing_is_lost(calls)
