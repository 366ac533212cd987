"""Importing and planning with another clone beside this one, the same file into equal databases.

Machines are shared, so what counts is processor time: that of the command with all it starts, and
that of PostgreSQL. Each side migrates with its own code.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import shopify
from benchmarks.against import PREPARE
from identity import ROOT
from tests import postgres

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Took:
    """What a command took: seconds of processor, of its own and of the server, and memory."""

    own: float
    server: float
    megabytes: int

    def __str__(self) -> str:
        server = f" + {self.server:.1f}" if self.server else ""
        return f"{self.own:.1f}{server} s, {self.megabytes} MB"

    def __truediv__(self, other: "Took") -> float:
        return (self.own + self.server) / (other.own + other.server)


@contextmanager
def empty_or_full(backend: str, clone: Path, contacts: int) -> Iterator[tuple[str, int]]:
    """Give the address of a database that a clone has made, and its server's number, or 0."""
    with tempfile.TemporaryDirectory() as name:
        if backend == "sqlite":
            url = f"sqlite:///{Path(name) / 'import.sqlite3'}"
            _prepare(clone, url, contacts)
            yield url, 0
            return
        with postgres.running() as server:
            assert server.process
            _prepare(clone, server.url(), contacts)
            yield server.url(), server.process.pid


def _prepare(clone: Path, url: str, contacts: int) -> None:
    command = [sys.executable, "-c", PREPARE, url, str(contacts)]
    subprocess.run(command, cwd=clone, env=_environment(url), check=True)


def _environment(url: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "DATABASE_URL": url, "SECRET_KEY": "1.21 gigawatts"}


def take(clone: Path, url: str, server: int, *arguments: str) -> Took:
    """Run an import with a clone's code, and return what it took."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "identity", "import", *arguments]
    before = _spent(server)
    process = subprocess.Popen(command, cwd=clone, env=_environment(url), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    own = used.ru_utime + used.ru_stime
    return Took(own, _spent(server) - before, used.ru_maxrss // 1024)


def _spent(server: int) -> float:
    """Return the seconds of processor of a process, its children, and those that have ended."""
    if not server:
        return 0.0
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    own = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, own[11:15]))
    for child in children:
        # One that ends meanwhile is among those that have ended the next time.
        with suppress(FileNotFoundError):
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:13]))
    return ticks / TICKS


def compare(other: Path, rows: int, sizes: tuple[int, ...]) -> list[str]:
    """Return a table of the ratios, the other's time divided by this one's."""
    lines = [
        f"| {rows:,} rows | plan, the other ÷ this | import, the other ÷ this "
        "| this: plan; import | the other: plan; import |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "customers.csv"
        shopify.write(file, rows)
        for backend in ("sqlite", "postgresql"):
            for contacts in sizes:
                lines.append(_row(backend, other, file, contacts))
                print(lines[-1], flush=True)
    return lines


def _row(backend: str, other: Path, file: Path, contacts: int) -> str:
    took: dict[Path, tuple[Took, Took]] = {}
    for clone in (other, ROOT):
        with empty_or_full(backend, clone, contacts) as (url, server):
            planned = take(clone, url, server, str(file), "--dry-run")
            took[clone] = planned, take(clone, url, server, str(file))
    (plan, done), (its_plan, its_done) = took[ROOT], took[other]
    return (
        f"| {backend}, {f'with {contacts:,} contacts' if contacts else 'empty'} "
        f"| **{its_plan / plan:.2f}** | **{its_done / done:.2f}** "
        f"| {plan}; {done} | {its_plan}; {its_done} |"
    )
