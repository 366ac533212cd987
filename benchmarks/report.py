"""Time the report over a million contacts, told by two sources, and with orders.

Right after they were loaded, without statistics; whole commands, with the memory that they take.
Run with: python -m benchmarks.report [CONTACTS [ORDERS]]
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks import population
from benchmarks.pages import unsettled
from identity import ROOT
from identity.config import Config
from tests.shopify import as_orders, order

BACKENDS = "sqlite", "postgresql"
# Every third of what was told is told by somebody else, too.
NEWSLETTER = text(
    "INSERT INTO claim (id, email, phone_number, source, told_at, dated_at)"
    " SELECT id + :last, email, phone_number, 'newsletter', told_at, dated_at"
    " FROM claim WHERE id % 3 = 0"
)


def measure(contacts: int, orders: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| | {contacts:,} contacts | and {orders:,} orders | memory of the command |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "orders.csv"
        file.write_bytes(as_orders(_orders(contacts, orders)))
        for backend in BACKENDS:
            with unsettled(backend, folder) as url:
                driven = Config.from_environment({"DATABASE_URL": url}).database_url
                last = population.fill(driven, contacts, settle=False)
                population.call(driven, contacts)
                engine = create_engine(driven)
                with engine.begin() as connection:
                    connection.execute(NEWSLETTER, {"last": last})
                engine.dispose()
                alone, with_orders = _run(url), _run(url, "--orders", file)
            memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            yield f"| {backend} | {alone:.1f} s | {with_orders:.1f} s | {memory} MB |"


def _orders(contacts: int, orders: int) -> Iterator[dict[str, str]]:
    chance = random.Random(1955)
    for _ in range(orders):
        # Few buy much.
        buyer = 1 + int(contacts * chance.random() ** 3)
        amount = f"{chance.randrange(5, 400)}.{chance.randrange(100):02}"
        yield order(f"customer{buyer}@example.com", amount)


def _run(url: str, *options: object) -> float:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "identity", "report"]
    given = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "SECRET_KEY": "hello, McFly"}
    begun = time.perf_counter()
    subprocess.run(
        [*command, *map(str, options)], cwd=ROOT, env=given, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


if __name__ == "__main__":
    sizes = [int(each) for each in sys.argv[1:]]
    for line in measure(*(sizes + [1_000_000, 100_000][len(sizes) :])):
        print(line, flush=True)
