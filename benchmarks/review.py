"""Time how long it takes to find what is wrong among a million contacts, and to show it.

Run with: python -m benchmarks.review [CONTACTS]
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine

from benchmarks import population
from benchmarks.pages import LARGE, unsettled
from identity.batching import taking
from identity.config import Config
from identity.database import db
from identity.deciding import Call
from identity.identifiers import Kind as Of
from identity.identifiers import Value
from identity.reviewing import findings, sweeping
from identity.reviewing.findings import Kind
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart
from tests.conftest import app_on, close

ROUNDS = 7
SHARED = 2_000
"""Strangers on the shop's own number, and as many on nobody's."""
FAMILIES = 30
"""Customers that one link holds together, of as many contacts on each side."""
TWINS = 200
MANY = 4
BACKENDS = "postgresql", "sqlite"
ORDERED = Ordered("benchmark")


def measure(contacts: int) -> Iterator[str]:
    """Yield the lines of the tables, for both databases."""
    yield "| | contacts | found | sweep, all | longest step | 100 calls more | after a ruling |"
    yield "|---|---|---|---|---|---|---|"
    pages: list[str] = []
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as name, unsettled(backend, Path(name)) as url:
            driven = Config.from_environment({"DATABASE_URL": url}).database_url
            last = population.fill(driven, contacts, settle=False)
            population.call(driven, contacts)
            engine = create_engine(driven)
            with engine.begin() as connection:
                population.add_customer(connection, last, LARGE)
                if backend == "postgresql":
                    for sequence in ("contact_id_seq", "event_id_seq"):
                        connection.exec_driver_sql(f"SELECT setval('{sequence}', {last + LARGE})")
                else:
                    connection.exec_driver_sql(
                        f"UPDATE sqlite_sequence SET seq = {last + LARGE}"
                        " WHERE name IN ('event', 'contact')"
                    )
            engine.dispose()
            app = app_on(url)
            with app.app_context():
                _wrong()
                yield _swept(backend, contacts)
            pages += _pages(backend, app)
            close(app)
    yield ""
    yield "| page, milliseconds | first | median | slowest |"
    yield "|---|---|---|---|"
    yield from pages


def _wrong() -> None:
    """Tell what is wrong, a batch each, as files would."""
    _tell((f"guest{number}@till.shop", "0000000000") for number in range(SHARED))
    _tell((f"buyer{number}@till.shop", "+16172531000") for number in range(SHARED))
    for side in ("north", "south"):
        _tell(
            (f"{side}{family}.{number}@family.shop", _phone(side, family))
            for family in range(FAMILIES)
            for number in range(FAMILIES)
        )
    _tell((f"north{each}.0@family.shop", _phone("south", each)) for each in range(FAMILIES))
    # Those that the population has, as their owners write them.
    _tell((f"twin{number}@twins.shop", f"0775{2_000_001 + number}") for number in range(TWINS))
    _tell((f"apart{number}@apart.shop", "+16172539999") for number in range(20))
    applying.rule(Apart(*_emails("apart0@apart.shop", "apart1@apart.shop")), ORDERED)
    _tell(((f"apart{number}@apart.shop", "+16172539999") for number in range(20)), "again")


def _phone(side: str, family: int) -> str:
    return f"+1617{'254' if side == 'north' else '255'}{1000 + family}"


def _tell(told: Iterable[tuple[str, str]], source: str = "benchmark") -> None:
    taking.take([Call(*each) for each in told], source, 1)


def _emails(*emails: str) -> Iterator[Value]:
    return (Value(Of.EMAIL, email) for email in emails)


def _swept(backend: str, contacts: int) -> str:
    steps: list[float] = []
    all_of_it = _timed(lambda: sweeping.sweep(MANY, pause=steps.append))
    with db.engine.connect() as connection:
        found = findings.counts(connection)
    _tell((f"later{number}@till.shop", "+16172531000") for number in range(100))
    more = _timed(lambda: sweeping.sweep(MANY))
    again: list[float] = []
    applying.rule(Apart(*_emails("guest1@till.shop", "buyer1@till.shop")), ORDERED)
    sweeping.sweep(MANY, pause=again.append)
    told = ", ".join(f"{number:,} {kind}" for kind, number in found.items())
    return (
        f"| {backend} | {contacts:,} | {told} | {all_of_it:.0f} s | {max(steps) * 1000:.0f} ms "
        f"| {more * 1000:.0f} ms | {max(again) * 1000:.0f} ms |"
    )


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _pages(backend: str, app: Flask) -> Iterator[str]:
    client = app.test_client()
    for title, path in (
        *((kind.value, f"/review?kind={kind.value}") for kind in Kind),
        ("what is fine", "/review/fine"),
        ("the menu alone", "/events"),
    ):
        times = []
        for _ in range(ROUNDS):
            app.extensions.pop("findings", None)
            begun = time.perf_counter()
            _get(client, path)
            times.append((time.perf_counter() - begun) * 1000)
        cells = times[0], sorted(times)[ROUNDS // 2], max(times)
        yield f"| {backend}: {title} | {' | '.join(f'{cell:.1f}' for cell in cells)} |"


def _get(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status}")


if __name__ == "__main__":
    for line in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(line, flush=True)
