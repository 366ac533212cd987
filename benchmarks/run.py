"""Measure the service against an empty route of the same application, each side in turns.

A figure by itself says more about the machine than about us, so every round measures all
sides after one another and what counts is the median of the rounds' ratios.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import urllib3
from sqlalchemy import create_engine, text

from benchmarks import bare, imports, pages, population
from identity import ROOT
from identity.config import Config
from tests import postgres
from tests.callers import KEY
from tests.conftest import migrate
from tests.serving import Server, serving

CONNECTIONS = 16
BODIES = 50_000
SIDES = ("empty", "repeat", "new")
RESULTS = ROOT / "benchmarks" / "RESULTS.md"


@dataclass
class Plan:
    """How long to measure, and with what."""

    seconds: int
    rounds: int
    sizes: tuple[int, ...]
    workers: int = 2
    threads: int = 4
    worker_class: str = ""


@dataclass
class Measured:
    """What came of one database at one size."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    memory: int = 0
    """Megabytes of the largest worker at the end."""

    def ratio(self, side: str, to: str = "empty") -> float:
        """Return the median of the rounds' ratios."""
        return median(
            one / other for one, other in zip(self.rates[side], self.rates[to], strict=True)
        )

    def rate(self, side: str) -> float:
        """Return the median rate, in calls a second."""
        return median(self.rates[side])


@contextmanager
def database(backend: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty, migrated database."""
    if backend == "sqlite":
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        migrate(url)
        yield url
    else:
        with postgres.running() as server:
            migrate(server.url())
            yield server.url()


def driven(url: str) -> str:
    """Return the address in SQLAlchemy's spelling."""
    return Config.from_environment({"DATABASE_URL": url}).database_url


def write_bodies(contacts: int, path: Path) -> None:
    """Write a sample of the known contacts, one JSON body a line."""
    rows = list(population.rows(contacts))
    sample = random.Random(1).sample(rows, min(BODIES, contacts))
    with path.open("w") as file:
        for row in sample:
            email, phone_number = population.identifiers_of(row)
            file.write(json.dumps({"email": email, "phoneNumber": phone_number}) + "\n")


def load(server: Server, side: str, bodies: Path, seconds: int) -> float:
    """Return how many calls of one kind a second were answered, all of them with 200."""
    arguments = {
        "empty": ("same", '{"email":"mcfly@hillvalley.edu","phoneNumber":"123456"}'),
        "repeat": ("repeat", str(bodies)),
        "new": ("new", str(time.time_ns() // 10**8 % 10**6)),
    }[side]
    path = "/empty" if side == "empty" else "/identify"
    command = [
        "wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"Authorization: Bearer {KEY}",
        "-s", str(ROOT / "benchmarks/load.lua"), server.url + path, "--", *arguments,
    ]  # fmt: skip
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in output.splitlines() if line.startswith("RESULT")]
    calls, microseconds, refused, broken = map(int, line.split()[1:])
    if refused or broken:
        raise RuntimeError(f"{side}: {refused} calls refused, {broken} broken")
    return calls / microseconds * 1e6


def resident(server: Server) -> int:
    """Return the megabytes of memory of the largest worker."""
    lines = [
        line
        for worker in server.workers()
        for line in Path(f"/proc/{worker}/status").read_text().splitlines()
    ]
    return max(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


@contextmanager
def served(
    url: str, folder: Path, arguments: Sequence[str] = (), **settings: object
) -> Iterator[Server]:
    """Serve a database to callers who have a key, and no limit."""
    # Without a socket for each worker, the first to wake takes all 16 connections at once and
    # the other worker idles: a lottery, and one ticket a round.
    with serving(
        url,
        folder,
        arguments=["--reuse-port", *arguments],
        IDENTITY_API_KEY=KEY,
        RATE_LIMIT_KEY="1000000000/minute",
        **settings,  # type: ignore[arg-type]
    ) as server:
        yield server


def measure(url: str, folder: Path, contacts: int, plan: Plan) -> Measured:
    """Serve a filled database and let the sides take turns."""
    bodies = folder / "bodies"
    write_bodies(contacts, bodies)
    result = Measured()
    worker_class = ["--worker-class", plan.worker_class] if plan.worker_class else []
    with served(
        url,
        folder,
        worker_class,
        app="benchmarks.wsgi:app",
        WEB_CONCURRENCY=plan.workers,
        WEB_THREADS=plan.threads,
    ) as server:
        for side in SIDES:
            load(server, side, bodies, 1)
        for _ in range(plan.rounds):
            for side in SIDES:
                rate = load(server, side, bodies, plan.seconds)
                result.rates.setdefault(side, []).append(rate)
            result.rates.setdefault("bare", []).append(bare.rate(url, plan.seconds))
        result.memory = resident(server)
    return result


def growth(url: str, folder: Path) -> list[tuple[int, float]]:
    """Return the milliseconds of a repeat for customers of 10 to 10,000 contacts."""
    sizes = (10, 100, 1_000, 10_000)
    engine = create_engine(driven(url))
    with engine.begin() as connection:
        last = connection.execute(text("SELECT max(id) FROM contact")).scalar_one()
        for size in sizes:
            population.add_customer(connection, last, size)
            last += size
    engine.dispose()
    told = []
    with serving(url, folder, WEB_CONCURRENCY=1) as server, urllib3.PoolManager() as http:
        for size in sizes:
            times = []
            for _ in range(15):
                begun = time.perf_counter()
                body = {"phoneNumber": population.phone_number_of_size(size)}
                response = http.request("POST", f"{server.url}/identify", json=body)
                times.append(time.perf_counter() - begun)
                assert len(response.json()["contact"]["secondaryContactIds"]) == size - 1
            told.append((size, median(times) * 1000))
    return told


def table(results: dict[tuple[str, int], Measured], sizes: tuple[int, ...]) -> Iterator[str]:
    """Yield the lines of the table of ratios."""
    largest = sizes[-1]
    yield "| | SQLite | target | PostgreSQL | target |"
    yield "|---|---|---|---|---|"
    for size in sizes:
        lite, post = results["sqlite", size], results["postgresql", size]
        at = f"at {size:,} contacts"
        yield (
            f"| repeat ÷ empty route, {at} | **{lite.ratio('repeat'):.2f}** | 0.50"
            f" | **{post.ratio('repeat'):.2f}** | 0.35 |"
        )
        yield (
            f"| new contact ÷ empty route, {at} | **{lite.ratio('new'):.2f}** | 0.20"
            f" | **{post.ratio('new'):.2f}** | 0.20 |"
        )
        yield (
            f"| new contact ÷ bare loop, {at} | **{lite.ratio('new', 'bare'):.2f}** | 0.50"
            f" | **{post.ratio('new', 'bare'):.2f}** | 0.50 |"
        )
    times = [
        results[backend, sizes[0]].ratio("repeat") / results[backend, largest].ratio("repeat")
        for backend in ("sqlite", "postgresql")
    ]
    yield (
        f"| a repeat's time at {largest:,} ÷ at {sizes[0]:,} | **{times[0]:.2f}** | at most 1.30"
        f" | **{times[1]:.2f}** | at most 1.30 |"
    )
    memory = [results[backend, largest].memory for backend in ("sqlite", "postgresql")]
    yield (
        f"| a worker's memory after {largest:,} | {memory[0]} MB | 120 MB"
        f" | {memory[1]} MB | 120 MB |"
    )


def rates(results: dict[tuple[str, int], Measured]) -> Iterator[str]:
    """Yield the lines of the table of calls a second, on this machine on this day."""
    yield "| calls a second | empty route | repeat | new contact | bare loop |"
    yield "|---|---|---|---|---|"
    for (backend, size), measured in results.items():
        told = " | ".join(f"{measured.rate(side):,.0f}" for side in (*SIDES, "bare"))
        yield f"| {backend}, {size:,} contacts | {told} |"


def tune(plan: Plan) -> None:
    """Print the rates with other worker classes, workers and threads."""
    for backend in ("sqlite", "postgresql"):
        for worker_class, workers, threads in (
            ("", 2, 4), ("", 2, 8), ("gevent", 2, 4),
            ("sync", 2, 1), ("sync", 4, 1), ("gthread", 1, 4), ("gthread", 1, 8),
            ("gthread", 2, 1), ("gthread", 2, 2), ("gthread", 2, 4), ("gthread", 2, 8),
            ("gthread", 4, 2), ("gthread", 4, 4),
        ):  # fmt: skip
            plan.worker_class, plan.workers, plan.threads = worker_class, workers, threads
            with (
                tempfile.TemporaryDirectory() as name,
                database(backend, Path(name)) as url,
            ):
                population.fill(driven(url), 1000)
                measured = measure(url, Path(name), 1000, plan)
            told = " | ".join(f"{measured.rate(side):,.0f}" for side in SIDES)
            print(f"| {backend} | {worker_class} {workers} x {threads} | {told} |", flush=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run that writes no file")
    parser.add_argument("--tune", action="store_true", help="compare workers and threads")
    parser.add_argument("--pages", action="store_true", help="time the pages with a million")
    parser.add_argument("--imports", action="store_true", help="time importing a million rows")
    parser.add_argument("--rulings", action="store_true", help="time rulings about many")
    parser.add_argument("--latency", action="store_true", help="how long callers wait")
    parser.add_argument("--against", type=Path, metavar="CLONE", help="another clone, in turns")
    options = parser.parse_args()
    plan = Plan(4, 7, (1_000, 1_000_000))
    if options.imports and options.against:
        # It needs this module.
        from benchmarks import imports_against

        file_and_sizes = (20_000, (0,)) if options.quick else (1_000_000, (0, 1_000_000))
        lines = imports_against.compare(options.against.resolve(), *file_and_sizes)
        if not options.quick:
            write(lines, "imports against")
        return
    if options.against or options.rulings or options.latency:
        beside(options.against, plan, quick=options.quick, rulings_too=options.rulings)
        return
    if options.pages:
        lines = list(pages.measure(20_000 if options.quick else plan.sizes[-1]))
        print("\n".join(lines))
        if not options.quick:
            write(lines, "pages")
        return
    if options.imports:
        small = options.quick
        lines = imports.compare(*((50_000, (0,)) if small else (1_000_000, (0, 1_000_000))))
        if not small:
            write(lines, "imports")
        return
    if options.quick or options.tune:
        plan = Plan(2, 2, (1_000, 20_000))
    if options.tune:
        tune(plan)
        return
    results = {}
    large: dict[str, list[tuple[int, float]]] = {}
    for backend in ("sqlite", "postgresql"):
        for size in plan.sizes:
            with tempfile.TemporaryDirectory() as name, database(backend, Path(name)) as url:
                print(f"==> {backend}, {size:,} contacts", flush=True)
                population.fill(driven(url), size)
                results[backend, size] = measure(url, Path(name), size, plan)
                if size == plan.sizes[-1]:
                    large[backend] = growth(url, Path(name))
    lines = [*table(results, plan.sizes), "", *rates(results), ""]
    lines += ["| milliseconds of a repeat, by contacts of the customer | " + " | ".join(
        f"{size:,}" for size, _ in large["sqlite"]) + " |", "|---|" + "---|" * 4]  # fmt: skip
    for backend, told in large.items():
        lines.append(f"| {backend} | " + " | ".join(f"{took:.1f}" for _, took in told) + " |")
    print("\n".join(lines))
    if not options.quick:
        write(lines)


def beside(other: Path | None, plan: Plan, *, quick: bool, rulings_too: bool) -> None:
    """Compare with another clone, or rulings with imports, or tell how long callers wait."""
    # These need this module.
    from benchmarks import against, latency, rulings

    if other:
        plan = Plan(2, 3, (1_000,)) if quick else Plan(4, 9, (1_000,))
        lines, what = against.compare(other.resolve(), plan), "against"
    elif rulings_too:
        lines = rulings.compare(*((2_000, 20_000) if quick else (20_000, 1_000_000)))
        what = "rulings"
    else:
        lines, what = latency.compare(1_000 if quick else 100_000, 5 if quick else 20), "latency"
    if not quick:
        write(lines, what)


def write(lines: list[str], what: str = "measured") -> None:
    """Replace a measured part of the results, and leave what is said about it."""
    begin, end = f"<!-- {what}: begin -->\n", f"<!-- {what}: end -->"
    before, rest = RESULTS.read_text().split(begin)
    _, after = rest.split(end)
    body = "\n".join(lines)
    RESULTS.write_text(f"{before}{begin}{body}\n{end}{after}")


if __name__ == "__main__":
    main()
