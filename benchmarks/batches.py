"""Calls sent a thousand at a time beside calls sent singly: how fast, and who waits for them.

Both are measured in turns against the same service, and what counts is the median of the rounds'
ratios. Meanwhile somebody else makes single calls, twenty a second, and says how long each took:
beside one who calls singly without a pause, and beside one who sends batches without a pause.
"""

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import urllib3

from benchmarks import population, run
from tests.callers import KEY, bearing
from tests.serving import Server, children, serving

CALLS = 1000
CLIENTS = 4
"""Who send batches at the same time, where the rate is measured."""
EACH = 0.05
"""Seconds between two calls of whoever waits."""
KINDS = ("repeat", "new")


@dataclass
class Measured:
    """What came of one kind of calls."""

    singly: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    """Calls a second, by round."""
    spent: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """Microseconds of processor a call, the database's included: likewise. Other than rates, they
    hardly depend on what else the machine does."""
    waited: dict[str, list[float]] = field(default_factory=dict)
    """Seconds that others' calls took, by beside whom."""


class Bodies:
    """Bodies of batches: of what is known, or of what nobody has told before."""

    def __init__(self, contacts: int) -> None:
        self._rows = list(population.rows(contacts))
        self._run = time.time_ns() // 10**6 % 10**6
        self._batches = 0
        self._lock = threading.Lock()

    def batch(self, kind: str) -> bytes:
        """Return the next one."""
        with self._lock:
            self._batches += 1
            batch = self._batches
        return json.dumps({"calls": list(self.calls(kind, batch))}).encode()

    def calls(self, kind: str, batch: int) -> Iterator[dict[str, str]]:
        """Yield the calls of one."""
        for number, row in enumerate(random.Random(batch).sample(self._rows, CALLS)):
            email, phone_number = population.identifiers_of(row)
            if kind == "new":
                email = f"{self._run}-{batch}-{number}@batch.example"
                phone_number = f"+49{self._run}{batch:04}{number:03}"
            yield {"email": email, "phoneNumber": phone_number}


def post(http: urllib3.HTTPConnectionPool, path: str, body: bytes) -> bytes:
    """Send a body and return the answer."""
    headers = {"Content-Type": "application/json", **bearing(KEY)}
    response = http.request("POST", path, body=body, headers=headers)
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {response.data[:200]!r}")
    return response.data


def rate(server: Server, bodies: Bodies, kind: str, seconds: float) -> tuple[float, int]:
    """Return how many calls a second were answered that came in batches, and how many in all."""
    # Made beforehand, so that we do not take the service's processor for it.
    ready = [[bodies.batch(kind) for _ in range(int(4 * seconds) + 1)] for _ in range(CLIENTS)]
    end = time.perf_counter() + seconds

    def send(mine: list[bytes]) -> int:
        with urllib3.connection_from_url(server.url) as http:
            sent = 0
            for body in mine:
                if time.perf_counter() > end:
                    break
                answers = post(http, "/identify/batch", body)
                if answers.count(b'"status":200') != CALLS:
                    raise RuntimeError("a call of a batch was refused")
                sent += CALLS
            return sent

    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        sent = sum(clients.map(send, ready))
    return sent / (time.perf_counter() - begun), sent


def waiting(
    server: Server, bodies: Bodies, kind: str, seconds: float, load: Callable[[], object]
) -> list[float]:
    """Return how long single calls took while somebody made that load again and again."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            load()

    took: list[float] = []
    singles = [json.dumps(call).encode() for call in bodies.calls(kind, bodies_apart())]
    with ThreadPoolExecutor(1) as other, urllib3.connection_from_url(server.url) as http:
        busy = other.submit(go_on)
        end = time.perf_counter() + seconds
        for body in singles:
            begun = time.perf_counter()
            post(http, "/identify", body)
            took.append(time.perf_counter() - begun)
            time.sleep(EACH)
            if time.perf_counter() > end:
                break
        over.set()
        busy.result()
    return took


def bodies_apart() -> int:
    """Return the number of a batch that nobody sends."""
    return random.randrange(5000, 9999)


def spent(server: Server, url: str) -> float:
    """Return the microseconds of processor that the service and its database have taken."""
    processes = set(server.workers())
    if url.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        postmaster = int((Path(folder) / "postmaster.pid").read_text().split()[0])
        processes |= {postmaster, *children(postmaster)}
    ticks = 0
    for pid in processes:
        with suppress(OSError):
            told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12])
            if url.startswith("postgresql"):
                # Of whoever ended meanwhile, too.
                ticks += int(told[13]) + int(told[14])
    return ticks / os.sysconf("SC_CLK_TCK") * 1e6


def measure(
    backend: str, contacts: int, seconds: float, rounds: int, arguments: Sequence[str]
) -> dict[str, Measured]:
    """Serve a filled database, and let singles and batches take turns."""
    results = {kind: Measured() for kind in KINDS}
    settings: dict[str, Any] = {"IDENTITY_API_KEY": KEY, "RATE_LIMIT_KEY": "1000000000/minute"}
    with tempfile.TemporaryDirectory() as name, run.database(backend, Path(name)) as url:
        folder = Path(name)
        population.fill(run.driven(url), contacts)
        run.write_bodies(contacts, folder / "bodies")
        bodies = Bodies(contacts)
        with (
            serving(url, folder, arguments=arguments, **settings) as server,
            urllib3.PoolManager(4) as pool,
        ):
            http = pool.connection_from_url(server.url)
            for number in range(rounds + 1):
                for kind, result in results.items():
                    before = spent(server, url)
                    begun = time.perf_counter()
                    singly = run.load(server, kind, folder / "bodies", max(1, int(seconds)))
                    one, between = singly * (time.perf_counter() - begun), spent(server, url)
                    together, many = rate(server, bodies, kind, seconds)
                    if number:
                        # The first round warms up.
                        result.singly.append(singly)
                        result.together.append(together)
                        result.spent[0].append((between - before) / one)
                        result.spent[1].append((spent(server, url) - between) / many)
            for kind, result in results.items():
                each = iter([json.dumps(call).encode() for call in _endless(bodies, kind)])
                all_of_it = iter([bodies.batch(kind) for _ in range(int(30 * seconds))])
                loads: dict[str, Callable[[], object]] = {
                    "nobody": lambda: time.sleep(EACH),
                    "singles": lambda each=each: post(http, "/identify", next(each)),  # type: ignore[misc]
                    "batches": lambda each=all_of_it: post(http, "/identify/batch", next(each)),  # type: ignore[misc]
                }
                for _ in range(rounds):
                    for beside, load in loads.items():
                        waited = waiting(server, bodies, kind, seconds, load)
                        result.waited.setdefault(beside, []).extend(waited)
    return results


def _endless(bodies: Bodies, kind: str) -> Iterator[dict[str, str]]:
    for _ in range(60):
        yield from bodies.calls(kind, bodies_apart())


def table(backend: str, results: dict[str, Measured]) -> Iterator[str]:
    """Yield a row of the tables for each kind of calls."""
    for kind, result in results.items():
        ratios = [many / one for many, one in zip(result.together, result.singly, strict=True)]
        spent = [median(each) for each in result.spent]
        waits = " | ".join(
            f"{median(waited) * 1000:.1f} / {_p99(waited) * 1000:.1f}"
            for waited in result.waited.values()
        )
        yield (
            f"| {backend}, {kind} | **{median(ratios):.1f}** | **{spent[0] / spent[1]:.1f}**"
            f" | {median(result.singly):,.0f} ({spent[0]:,.0f})"
            f" | {median(result.together):,.0f} ({spent[1]:,.0f}) | {waits} |"
        )


def _p99(waited: list[float]) -> float:
    return sorted(waited)[int(0.99 * len(waited))]


def compare(contacts: int, seconds: float, rounds: int, arguments: Sequence[str] = ()) -> list[str]:
    """Return the table, for both databases. The arguments are gunicorn's."""
    lines = [
        "| | rate in batches ÷ singly | calls for the same processor time | singly, calls a second"
        " (and µs of processor a call) | in batches | others' calls, ms (p50 / p99), beside nobody"
        " | beside one who calls singly | beside one who sends batches |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for backend in ("sqlite", "postgresql"):
        lines += table(backend, measure(backend, contacts, seconds, rounds, arguments))
        print("\n".join(lines), flush=True)
    return lines


if __name__ == "__main__":
    quick, *more = sys.argv[1:] or [""]
    compare(*((20_000, 2, 2) if quick == "--quick" else (100_000, 4, 5)), more)
