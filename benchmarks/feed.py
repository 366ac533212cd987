"""Time a reader of the feed, and what a reader that follows costs those who call.

A history of a hundred thousand changes is read over HTTP in pages, as docs/changes.md does: first
by somebody who finds none of them numbered, then by somebody who begins again. Then new contacts
are told while a reader follows, and while none does, in turns.
Run with: python -m benchmarks.feed [CHANGES]
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import urllib3

from benchmarks import population, run
from tests.callers import KEY
from tests.serving import Server

CHANGES, ROUNDS, SECONDS = 100_000, 7, 5
WAIT = 2
"""Seconds that an answer without changes may take: how long the last one is waited for, too."""


class Reader:
    """Follows the feed on one connection that it keeps."""

    def __init__(self, server: Server) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        self._http = urllib3.PoolManager(headers=headers, retries=False)
        self._url = f"{server.url}/changes"
        self.number = self.taken = 0

    def ask(self, wait: int = 0) -> bool:
        """Take one page, and tell whether there is more."""
        fields = {"after": str(self.number), "wait": str(wait)}
        answer = self._http.request("GET", self._url, fields=fields)
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.json()}")
        page = answer.json()
        self.number = page["next"]
        self.taken += len(page["changes"])
        return bool(page["more"])

    def catch_up(self) -> float:
        """Take all there is, and return the seconds that it took."""
        begun = time.perf_counter()
        while self.ask() or self.ask():
            # What is numbered only when somebody asks shows in the answer after that.
            pass
        return time.perf_counter() - begun


@contextmanager
def following(server: Server) -> Iterator[Reader]:
    """Follow what happens, with waiting, until the block ends."""
    reader, ended = Reader(server), threading.Event()
    reader.catch_up()

    def follow() -> None:
        while not ended.is_set():
            reader.ask(WAIT)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield reader
    ended.set()
    thread.join(2 * WAIT)


def measure(changes: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| | {changes:,} changes, read first | read again | new contacts, followed ÷ not |"
    yield "|---|---|---|---|"
    for backend in ("postgresql", "sqlite"):
        with tempfile.TemporaryDirectory() as name, run.database(backend, Path(name)) as url:
            population.fill(run.driven(url), changes)
            population.tell_history(run.driven(url), changes)
            with run.served(url, Path(name)) as server:
                first, again = Reader(server), Reader(server)
                times = first.catch_up(), again.catch_up()
                if first.taken != changes or again.taken != changes:
                    raise RuntimeError(f"{first.taken:,} and {again.taken:,} changes were read")
                ratio, rate = _followed(server, Path(name))
        cells = (f"{seconds:.1f} s" for seconds in times)
        yield f"| {backend} | {' | '.join(cells)} | **{ratio:.3f}** ({rate:,.0f} a second) |"


def _followed(server: Server, folder: Path) -> tuple[float, float]:
    """Return the rate of new contacts that a reader follows, as a ratio and by itself."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    run.load(server, "new", folder, 2)
    for round_ in range(ROUNDS):
        for followed in (True, False) if round_ % 2 else (False, True):
            if followed:
                with following(server):
                    rates[True].append(run.load(server, "new", folder, SECONDS))
            else:
                rates[False].append(run.load(server, "new", folder, SECONDS))
    both = zip(rates[True], rates[False], strict=True)
    return median(one / other for one, other in both), median(rates[True])


if __name__ == "__main__":
    for line in measure(int(sys.argv[1]) if len(sys.argv) > 1 else CHANGES):
        print(line, flush=True)
