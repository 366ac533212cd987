"""Time rulings against importing the rows that they are about."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import urllib3

from benchmarks import imports, shopify
from identity.identifiers import Kind, Value
from identity.rulings import applying, kinds
from identity.rulings.applying import Ordered
from identity.rulings.plans import Plan
from tests import postgres
from tests.conftest import app_on, close, migrate
from tests.serving import serving

SHARED = "0000000000"


def compare(shared: int, rows: int) -> list[str]:
    """Return the tables, for both databases."""
    lines = [
        f"| a value that {shared:,} contacts share | import | plan | application "
        "| **(plan + application) ÷ import** | undone, with its plan |",
        "|---|---|---|---|---|---|",
    ]
    for backend in ("sqlite", "postgresql"):
        with _database(backend) as (url, folder):
            lines.append(_nobody(backend, url, folder, shared))
            print(lines[-1], flush=True)
    with _database("postgresql") as (url, folder):
        lines += ["", _others(url, folder, shared), ""]
        print(lines[-2], flush=True)
    lines += [
        f"| an import of {rows:,} rows | import | withdrawn | **withdrawn ÷ import** | memory "
        "| undone | verify |",
        "|---|---|---|---|---|---|---|",
    ]
    for backend in ("sqlite", "postgresql"):
        with _database(backend) as (url, folder):
            lines.append(_withdrawn(backend, url, folder, rows))
            print(lines[-1], flush=True)
    return lines


@contextmanager
def _database(backend: str) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if backend == "sqlite":
            url = f"sqlite:///{folder / 'bench.sqlite3'}"
            migrate(url)
            yield url, folder
        else:
            with postgres.running() as server:
                migrate(server.url())
                yield server.url(), folder


def _shared_file(folder: Path, count: int) -> Path:
    path = folder / "shared.csv"
    rows = "".join(f"customer{n}@till.example,{SHARED}\n" for n in range(count))
    path.write_text(f"email,phone\n{rows}")
    return path


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _nobody(backend: str, url: str, folder: Path, count: int) -> str:
    took = imports.run(url, "import", str(_shared_file(folder, count))).seconds
    # Without what it takes to start a command, which a plan asked of the service does not take.
    took -= imports.run(url, "rulings").seconds
    app = app_on(url)
    with app.app_context():
        what = kinds.LinksNobody(Value(Kind.PHONE, SHARED))
        plans: list[Plan] = []
        planning = _timed(lambda: plans.append(applying.plan(what)))
        ordered = Ordered("benchmark", planned=plans[0].fingerprint)
        applied = _timed(lambda: applying.rule(what, ordered))
        undone = _timed(
            lambda: (applying.plan_withdrawal(1), applying.withdraw(1, Ordered("benchmark")))
        )
    close(app)
    return (
        f"| {backend} | {took:.1f} s | {planning:.1f} s | {applied:.1f} s "
        f"| **{(planning + applied) / took:.2f}** | {undone:.1f} s |"
    )


def _others(url: str, folder: Path, count: int) -> str:
    """Return what others wait on PostgreSQL while such a ruling is applied."""
    imports.run(url, "import", str(_shared_file(folder, count)))
    waits: list[tuple[float, float]] = []
    ended = threading.Event()
    with serving(
        url, folder, WEB_CONCURRENCY=2, IDENTITY_OPEN=1, RATE_LIMIT_ADDRESS="1000000/minute"
    ) as server:

        def ask() -> None:
            with urllib3.PoolManager() as http:
                number = 0
                while not ended.is_set():
                    number += 1
                    body = {
                        "email": f"other{number % 50}@till.example",
                        "phoneNumber": str(number % 50 + 1),
                    }
                    begun = time.perf_counter()
                    assert http.request("POST", f"{server.url}/identify", json=body).status == 200
                    waits.append((begun, time.perf_counter() - begun))
                    time.sleep(0.005)

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(5)
        begun = time.perf_counter()
        imports.run(url, "links-nobody", SHARED, "--yes")
        applied = time.perf_counter()
        ended.set()
        asking.join()
    usual = median(wait for at, wait in waits if at < begun)
    during = median(wait for at, wait in waits if begun <= at < applied)
    return (
        f"Meanwhile, on PostgreSQL, other callers wait {during * 1000:.1f} ms (p50) instead of "
        f"{usual * 1000:.1f}: **{during / usual:.2f}** times as long, for {applied - begun:.1f} s."
    )


def _withdrawn(backend: str, url: str, folder: Path, rows: int) -> str:
    file = folder / "customers.csv"
    shopify.write(file, rows)
    brought = imports.run(url, "import", str(file))
    withdrawn = imports.run(url, "withdraw", "import", "1", "--yes")
    undone = imports.run(url, "undo", "1", "--yes")
    verified = imports.run(url, "verify")
    return (
        f"| {backend} | {brought.seconds:.1f} s | {withdrawn.seconds:.1f} s "
        f"| **{withdrawn.seconds / brought.seconds:.2f}** | {withdrawn.megabytes} MB "
        f"| {undone.seconds:.1f} s | {verified.seconds:.1f} s, {verified.megabytes} MB |"
    )
