"""Another clone of the service beside this one: the same load on both, in turns.

Each side migrates and fills a database of its own with its own code, serves it, and is asked by
wrk. What counts is the median of the rounds' ratios, this side's rate divided by the other's.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks import run
from benchmarks.run import Plan
from identity import ROOT
from tests import postgres
from tests.callers import KEY
from tests.serving import Server, free_port, started

SIDES = ("repeat", "new")
PREPARE = """
import sys
from benchmarks import population
from identity.config import Config
from tests.conftest import migrate
url, contacts = sys.argv[1], int(sys.argv[2])
migrate(url)
if contacts:
    population.fill(Config.from_environment({"DATABASE_URL": url}).database_url, contacts)
"""


@contextmanager
def served(clone: Path, url: str, folder: Path, contacts: int) -> Iterator[Server]:
    """Serve a filled database with the code of a clone."""
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "1.21 gigawatts",
        "DATABASE_URL": url,
        "IDENTITY_API_KEY": KEY,
        "RATE_LIMIT_KEY": "1000000000/minute",
        "PORT": str(free_port()),
    }
    command = [sys.executable, "-c", PREPARE, url, str(contacts)]
    subprocess.run(command, cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL)
    gunicorn = [str(Path(sys.executable).parent / "gunicorn"), "benchmarks.wsgi:app"]
    log, port = folder / "gunicorn.log", int(environment["PORT"])
    with started([*gunicorn, "--reuse-port"], clone, log, port, environment) as server:
        yield server


def compare(other: Path, plan: Plan) -> list[str]:
    """Return a table of the ratios, on both databases."""
    lines = [
        "| this ÷ the other | repeat | new contact | rates of this and of the other |",
        "|---|---|---|---|",
    ]
    for backend in ("sqlite", "postgresql"):
        for contacts in plan.sizes:
            lines.append(_row(backend, other, contacts, plan))
            print(lines[-1], flush=True)
    return lines


def _row(backend: str, other: Path, contacts: int, plan: Plan) -> str:
    rates: dict[tuple[int, str], list[float]] = {}
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        urls = [f"sqlite:///{folder / 'bench.sqlite3'}" for folder in folders]
        if backend == "postgresql":
            urls = [stack.enter_context(postgres.running()).url() for _ in folders]
        bodies = folders[0] / "bodies"
        run.write_bodies(contacts, bodies)
        servers = [
            stack.enter_context(served(clone, url, folder, contacts))
            for clone, url, folder in zip((ROOT, other), urls, folders, strict=True)
        ]
        for round_ in range(plan.rounds + 1):
            for side in SIDES:
                # Whoever begins is the other one each time.
                for number in (0, 1) if round_ % 2 else (1, 0):
                    rate = run.load(servers[number], side, bodies, plan.seconds if round_ else 1)
                    if round_:
                        rates.setdefault((number, side), []).append(rate)
    ratios = {
        side: median(
            ours / theirs for ours, theirs in zip(rates[0, side], rates[1, side], strict=True)
        )
        for side in SIDES
    }
    told = ", ".join(
        f"{side} {median(rates[0, side]):,.0f} and {median(rates[1, side]):,.0f}" for side in SIDES
    )
    return (
        f"| {backend}, {contacts:,} contacts | **{ratios['repeat']:.2f}** | **{ratios['new']:.2f}**"
        f" | {told} |"
    )
