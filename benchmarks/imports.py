"""Time importing a file of a million rows against loading the same finished rows bare.

The bare side is given the rows that the import ended in, ready to be sent, and does nothing but
COPY (PostgreSQL) or executemany (SQLite) into a database in the same state as the import found.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks import population, shopify
from identity import ROOT
from identity.config import Config
from tests import postgres
from tests.conftest import migrate

TABLES = ("contact", "identifier", "claim", "event")
ORDER = {"contact": "linked_id IS NOT NULL, id", "event": "id"}


@dataclass(frozen=True)
class Took:
    """What a command took."""

    seconds: float
    megabytes: int


def run(url: str, *arguments: str) -> Took:
    """Run a command of ours and return its time, start included, and its largest memory."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "SECRET_KEY": "1.21 gigawatts",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "identity", *arguments]
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    megabytes = 0
    while process.poll() is None:
        megabytes = max(megabytes, _resident(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return Took(time.perf_counter() - begun, megabytes)


def _resident(pid: int) -> int:
    """Return the megabytes of memory of a process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0
    # A process that has ended and was not waited for yet has no memory, and no such line.
    own = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return own // 1024 + sum(_resident(int(child)) for child in children)


@contextmanager
def databases(backend: str, folder: Path, contacts: int) -> Iterator[tuple[str, str]]:
    """Give the addresses of two equal databases that hold that many contacts."""
    if backend == "sqlite":
        first, second = folder / "first.sqlite3", folder / "second.sqlite3"
        _prepare(f"sqlite:///{first}", contacts)
        shutil.copy(first, second)
        yield f"sqlite:///{first}", f"sqlite:///{second}"
        return
    with postgres.running() as server:
        _prepare(server.url(), contacts)
        with psycopg.connect(server.url("template1"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE second TEMPLATE postgres")
        yield server.url(), server.url("second")


def _prepare(url: str, contacts: int) -> None:
    migrate(url)
    if contacts:
        population.fill(Config.from_environment({"DATABASE_URL": url}).database_url, contacts)


def bare(first: str, second: str, contacts: int) -> float:
    """Load what `first` has and `second` lacks; return the seconds of the loading alone."""
    if first.startswith("sqlite"):
        return _bare_sqlite(first, second, contacts)
    seconds = 0.0
    with psycopg.connect(first) as source, psycopg.connect(second) as target:
        for table in TABLES:
            rows = f"SELECT * FROM {table} {_new(table, contacts)}"
            with source.cursor().copy(f"COPY ({rows}) TO STDOUT") as copy:
                parts = [bytes(part) for part in copy]
            begun = time.perf_counter()
            with target.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for part in parts:
                    copy.write(part)
            seconds += time.perf_counter() - begun
        begun = time.perf_counter()
        target.commit()
        return seconds + time.perf_counter() - begun


def _bare_sqlite(first: str, second: str, contacts: int) -> float:
    source = sqlite3.connect(make_url(first).database or "")
    rows = {
        table: source.execute(f"SELECT * FROM {table} {_new(table, contacts)}").fetchall()
        for table in TABLES
    }
    source.close()
    target = sqlite3.connect(make_url(second).database or "", isolation_level=None)
    target.execute("PRAGMA synchronous = FULL")
    target.execute("PRAGMA foreign_keys = ON")
    begun = time.perf_counter()
    target.execute("BEGIN")
    for table in TABLES:
        places = ", ".join("?" * len(rows[table][0]))
        target.executemany(f"INSERT INTO {table} VALUES ({places})", rows[table])
    target.execute("COMMIT")
    target.close()
    return time.perf_counter() - begun


def _new(table: str, contacts: int) -> str:
    added = {
        "contact": f"id > {contacts}",
        "identifier": f"contact_id > {contacts}",
        "claim": "import_id IS NOT NULL",
        "event": "source LIKE 'import:%'",
    }[table]
    return f"WHERE {added} ORDER BY {ORDER.get(table, '1, 2')}"


def compare(rows: int, sizes: tuple[int, ...]) -> list[str]:
    """Return a table of the import, the rehearsal and the export, for both databases."""
    lines = [
        f"| {rows:,} rows of Shopify | import | rows/s | bare load | **bare ÷ import** | dry run "
        "| memory: import | dry run | export of all contacts |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for backend in ("sqlite", "postgresql"):
        for size in sizes:
            with tempfile.TemporaryDirectory() as name:
                lines.append(_row(backend, Path(name), rows, size))
                print(lines[-1], flush=True)
    return lines


def _row(backend: str, folder: Path, rows: int, size: int) -> str:
    file, out = folder / "customers.csv", str(folder / "contacts.csv")
    shopify.write(file, rows)
    with databases(backend, folder, size) as (first, second):
        dry = run(first, "import", str(file), "--dry-run")
        done = run(first, "import", str(file))
        loaded = bare(first, second, size)
        exported = run(first, "export", out, "--contacts")
    return (
        f"| {backend}, {f'with {size:,} contacts' if size else 'empty'} | {done.seconds:.1f} s "
        f"| {rows / done.seconds:,.0f} | {loaded:.1f} s | **{loaded / done.seconds:.2f}** "
        f"| {dry.seconds:.1f} s | {done.megabytes} MB | {dry.megabytes} MB "
        f"| {exported.seconds:.1f} s, {exported.megabytes} MB |"
    )
