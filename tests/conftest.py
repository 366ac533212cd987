"""What every test stands on: both databases, real ones, and the verb `see`."""

import gc
import importlib.util
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from hypothesis import HealthCheck, settings
from werkzeug.serving import make_server

from identity import access, create_app, forgetting
from identity.access import users
from identity.clusters import Cluster
from identity.config import Config
from identity.database import db
from identity.identifiers import Identifiers
from identity.reconciliation import identify
from tests import postgres
from tests.browser import chromium
from tests.linting import LintingClient
from tests.postgres import Postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

See = Callable[..., Cluster]
Make = Callable[..., Flask]
MakeOn = Callable[..., Flask]
MakeDatabase = Callable[..., str]
Settings = tuple[tuple[str, str], ...]
Key = tuple[str, Settings, int]

# A database in memory waits for no disk, and the tests make thousands.
MEMORY, ROOM = "/dev/shm", 4 * 1024**3
if Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)

# Needs requirements-browser.txt; script/test installs it where there is a browser.
collect_ignore_glob = [] if importlib.util.find_spec("pytest_playwright") else ["test_browser*.py"]
# Needs requirements-spark.txt; script/test-spark installs it.
collect_ignore_glob += [] if importlib.util.find_spec("pyspark") else ["test_spark.py"]

# Nothing here is about time, and machines are shared. Where a change is judged, the same examples
# are tried each time: whoever breaks nothing must not be refused for somebody else's discovery.
settings.register_profile(
    "identity",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("identity")

# Thousands of tests are found, and stay: looking for garbage among them takes as long as finding
# them, and a tenth of the tests' time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


# Lines about requests would be written between the tests' own.
logging.getLogger("identity").addHandler(logging.NullHandler())

TABLES = (
    *("erased", "forgotten", "erasure"),
    *("event", "claim", "reference", "ruling", "withdrawal", "kept_apart"),
    *("identifier", "contact", "import", "api_key", "staff", "finding", "sweep"),
    *("session", "guard", "audit", "change", "feed"),
    *("delivery", "turn", "message", "webhook", "report"),
)
# Two hundred times as fast as TRUNCATE, which makes new files and waits for the disk. Nothing is
# left that refers to anything, so nobody need look.
DELETE = "; ".join(
    [
        "SET session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in TABLES),
        "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'",
    ]
)
# What the server noted as frequent in them would be found by a test that looks for what is left.
FORGET = "DELETE FROM pg_statistic WHERE starelid >= 16384"
TRUNCATE = f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE"
# Real ones, and the cheapest: with the service's own, a guess costs a tenth of a second, and the
# tests make thousands. `test_access` holds what the service's own cost.
COSTLY = users._hasher
users._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ERASURE_KEY = "a-key-of-the-tests-with-which-nobody-else-hashes"
SQLITE = "identity.sqlite3"
NO_POWER_CUT = ("-c", "fsync=off", "-c", "full_page_writes=off")
"""What the server of the tests need not wait for. A process that is killed loses nothing by it."""
LARGE = "SELECT pg_relation_size('event') + pg_relation_size('contact') > 1000000"


def app_on(url: str, **settings: object) -> Flask:
    """Return the application on a database, whatever this machine's environment says."""
    given = {"DATABASE_URL": url, "SECRET_KEY": "hello, McFly", "ERASURE_KEY": ERASURE_KEY}
    config = Config.from_environment(given | {name: str(value) for name, value in settings.items()})
    # What the last test's database said of who may ask is not true of the next one's.
    access.forget()
    app = create_app(config)
    app.testing = True
    app.test_client_class = LintingClient
    return app


def migrate(url: str) -> None:
    """Bring a database to the newest schema, the only way there is."""
    app = app_on(url)
    with app.app_context():
        upgrade()
        close(app)


def empty(url: str) -> str:
    """Take everything out of a PostgreSQL database; return its address."""
    try:
        _empty(url)
    except psycopg.OperationalError:
        # Some tests end connections, and some end servers.
        EMPTYING.pop(url).close()
        _empty(url)
    return url


EMPTYING: dict[str, psycopg.Connection] = {}
"""Connections that stay: for a new one the server reads anew what it knows of all tables."""


def _empty(url: str) -> None:
    if url not in EMPTYING:
        EMPTYING[url] = psycopg.connect(url, autocommit=True)
    (large,) = EMPTYING[url].execute(LARGE).fetchone() or (True,)
    EMPTYING[url].execute(f"{TRUNCATE if large else DELETE}; {FORGET}")


def close(app: Flask) -> None:
    """Close the app's connections, so that its database can be copied or dropped."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres.running(*NO_POWER_CUT) as server:
        yield server
        while EMPTYING:
            EMPTYING.popitem()[1].close()


@pytest.fixture(scope="session")
def migrated_server() -> Iterator[Path]:
    """What a migrated server has in its folder, for others to begin with a copy of it."""
    with postgres.running(*NO_POWER_CUT) as server:
        migrate(server.url())
        server.stop()
        yield server.data


@pytest.fixture
def own_postgres(migrated_server: Path) -> Iterator[Postgres]:
    """A migrated server of this test's own, which it may stop."""
    with postgres.running(*NO_POWER_CUT, data=migrated_server) as server:
        yield server


@pytest.fixture
def make_database(postgres_server: Postgres) -> Iterator[MakeDatabase]:
    """Make a database on PostgreSQL and return its address: without tables, or a copy."""
    names: list[str] = []

    def make(template: str = "template1") -> str:
        names.append(f"made_{secrets.token_hex(4)}")
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {template}")
        return postgres_server.url(names[-1])

    yield make
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_database(make_database: MakeDatabase) -> str:
    return make_database()


@pytest.fixture
def migrated_database(make_database: MakeDatabase, template: str) -> str:
    """The address of a migrated database of this test's own."""
    return make_database(template)


@pytest.fixture(scope="session")
def template(postgres_server: Postgres) -> str:
    """The name of a migrated database that nobody connects to, so that it can be copied."""
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    migrate(postgres_server.url("migrated"))
    return "migrated"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Postgres, template: str) -> str:
    """The address of a migrated database, shared by the session and emptied before each test."""
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE shared TEMPLATE {template}")
    return postgres_server.url("shared")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, migrated database; the test runs once for each kind."""
    if backend == "postgresql":
        return empty(request.getfixturevalue("migrated_postgres"))
    path = tmp_path / SQLITE
    if not request.node.get_closest_marker("slow"):
        path = request.getfixturevalue("sqlite_place")
        shutil.rmtree(path.parent)
        path.parent.mkdir()
    shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def sqlite_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each quick test finds a new database, in a folder that nothing else is in."""
    return tmp_path_factory.mktemp("place") / SQLITE


@pytest.fixture(scope="session")
def apps() -> Iterator[dict[Key, Flask]]:
    """Applications that were made: the routes of one take longer than a test."""
    apps: dict[Key, Flask] = {}
    yield apps
    for app in apps.values():
        close(app)


@pytest.fixture
def app_of(request: pytest.FixtureRequest, apps: dict[Key, Flask]) -> Iterator[MakeOn]:
    """Make apps, different ones for one test. Those of the test before it do, begun anew."""
    slow = request.node.get_closest_marker("slow") is not None
    used: dict[Key, Flask] = {}

    def app_of(url: str, **settings: str) -> Flask:
        alike = url, tuple(sorted(settings.items()))
        key = *alike, sum(each[:2] == alike for each in used)
        used[key] = app = (not slow and apps.get(key)) or app_on(url, **settings)
        begin(app)
        return app

    yield app_of
    for (url, others, number), app in used.items():
        # The next file has the same name, and a server has room for so many.
        if slow or url.startswith("sqlite") or others or number:
            close(app)
    if not slow:
        apps |= used


def begin(app: Flask) -> None:
    """Let an app know nothing of what was before."""
    access.forget()
    app.config["LIMITER"].forget()
    # What is to be reviewed is counted now and then.
    app.extensions.pop("findings", None)
    with app.app_context():
        forgetting.here().forget()


@pytest.fixture
def app(database_url: str, app_of: MakeOn) -> Iterator[Flask]:
    app = app_of(database_url)
    with app.app_context():
        yield app


@pytest.fixture
def make(database_url: str, app_of: MakeOn) -> Make:
    """Make apps with settings."""
    return partial(app_of, database_url)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def see(app: Flask) -> See:
    """Tell identify about an email, a phone number or both, and return the customer."""

    def see(email: str | None = None, phone: str | None = None, source: str = "test") -> Cluster:
        with app.app_context():
            return identify(Identifiers.parse(email, phone), source=source).cluster

    return see


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """How the browser of this machine is begun."""
    return {
        "executable_path": chromium(),
        "args": [
            "--no-sandbox",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the app, served to a browser."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: "Browser", site: str) -> Iterator["Page"]:
    with browser.new_context(base_url=site) as context:
        yield context.new_page()


@pytest.fixture
def complaints(page: "Page") -> list[str]:
    """What the browser complains of: errors of scripts, and breaches of the content policy."""
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("console", lambda line: told.append(line.text) if line.type == "error" else None)
    return told
