"""Time every page and search with a million contacts, right after they were loaded and later.

Right after: without statistics, as when an import has only now ended. Later: when the database has
looked at its tables.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from flask import Flask
from sqlalchemy import create_engine, text

from benchmarks import population
from identity.config import Config
from tests import postgres
from tests.conftest import app_on, close, migrate

ROUNDS = 7
LARGE = 50_000
"""Contacts of the largest customer."""
SEARCHES = {
    "a whole email": "customer777@example.com",
    "one email": "omer77777@",
    "a part of many": "7777",
    "a part of all": "example",
    "nobody": "nobody@nowhere",
    "digits of a phone number": "775-201-2345",
    "a phone number, as dialled": "0171 1234567",
    "an id": "#77777",
    "a reference": "cus_77777",
    "a name nobody has": "zzzz",
    "a name and a number": "brown 123",
    "two names": "marty brown",
    "a name and a part of all": "example brown",
    "a name and digits": "brown 2012345",
}


@contextmanager
def unsettled(backend: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database whose statistics say that it is empty."""
    if backend == "sqlite":
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        migrate(url)
        yield url
        return
    with postgres.running() as server:
        migrate(server.url())
        _run(server.url(), "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()",
             "ANALYZE")  # fmt: skip
        yield server.url()


def measure(contacts: int) -> Iterator[str]:
    """Yield the lines of the table: milliseconds of each page, whole."""
    yield "| page | PostgreSQL, right after | later | SQLite, right after | later |"
    yield "|---|---|---|---|---|"
    columns = [
        column for backend in ("postgresql", "sqlite") for column in _both(backend, contacts)
    ]
    for title in columns[0]:
        cells = (f"{column[title]:.1f}" for column in columns)
        yield f"| {title} | {' | '.join(cells)} |"


def _both(backend: str, contacts: int) -> Iterator[dict[str, float]]:
    with tempfile.TemporaryDirectory() as name, unsettled(backend, Path(name)) as url:
        driven = Config.from_environment({"DATABASE_URL": url}).database_url
        last = population.fill(driven, contacts, settle=False)
        population.call(driven, contacts)
        population.tell_history(driven, contacts)
        engine = create_engine(driven)
        with engine.begin() as connection:
            population.add_customer(connection, last, LARGE)
        engine.dispose()
        yield _time_all(backend, url, contacts)
        if backend == "postgresql":
            _run(url, "VACUUM ANALYZE")
        else:
            _run(url, "ANALYZE")
        yield _time_all(backend, url, contacts)


def _time_all(backend: str, url: str, contacts: int) -> dict[str, float]:
    app = app_on(url)
    app.config["WTF_CSRF_ENABLED"] = False
    taken: dict[str, float] = {}
    for title, path in pages(contacts):
        taken[title] = _time(app, path)
        print(f"{backend}: {title}: {taken[title]:.1f}", flush=True)
    for title, typed in SEARCHES.items():
        answer = app.test_client().post("/search", data={"typed": typed})
        taken[f"search: {title}"] = _time(app, answer.location)
        print(f"{backend}: search: {title}: {taken[f'search: {title}']:.1f}", flush=True)
    close(app)
    return taken


def pages(contacts: int) -> Iterator[tuple[str, str]]:
    """Yield each page's title and address."""
    large = contacts + 1
    yield "home", "/"
    yield "customers, newest", "/clusters"
    yield "customers, a later page", f"/clusters?after={contacts // 2}"
    yield "customers, last activity", "/clusters?order=active"
    yield "customers, most contacts", "/clusters?order=largest"
    yield "a customer", "/clusters/1"
    yield f"a customer of {LARGE:,}", f"/clusters/{large}"
    yield (
        f"a customer of {LARGE:,}, a contact in its midst",
        f"/clusters/{large}?contact={large + LARGE // 2}",
    )
    yield "activity", "/events"
    yield "activity of an import", "/events?source=import:1"
    yield "review", "/review"
    yield "rulings", "/review/rulings"


def _time(app: Flask, path: str) -> float:
    """Return the median of the milliseconds, the first one included."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = app.test_client().get(path)
        times.append(time.perf_counter() - begun)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        if len(times) == 1 and times[0] > 5:
            break
    return median(times) * 1000


def _run(url: str, *statements: str) -> None:
    engine = create_engine(Config.from_environment({"DATABASE_URL": url}).database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
