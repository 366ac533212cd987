"""How long callers wait at half of what the service can take, and how many wait long.

Calls begin at moments that are fixed beforehand, whether those before them are answered or not, and
a call's time runs from the moment at which it was to begin: so a pause of the service counts for
everybody who would have called meanwhile.
"""

import json
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import urllib3

from benchmarks import population, run
from tests.callers import KEY
from tests.serving import Server

CALLERS = 32
"""Each with a connection that it keeps."""


def bodies(side: str, contacts: int) -> Iterator[bytes]:
    """Yield bodies of calls without end: of contacts that are known, or that nobody has."""
    rows = list(population.rows(contacts))
    number = 0
    while True:
        number += 1
        email, phone_number = population.identifiers_of(random.choice(rows))
        if side == "new":
            mark = time.time_ns()
            email, phone_number = f"{mark}-{number}@example.com", f"+49{mark // 1000 % 10**13}"
        yield json.dumps({"email": email, "phoneNumber": phone_number}).encode()


class Caller(threading.Thread):
    """Somebody who calls at given moments on one connection."""

    def __init__(self, server: Server, moments: list[tuple[float, bytes]]) -> None:
        super().__init__()
        port = urllib3.util.parse_url(server.url).port or 0
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._moments = moments
        self.waited: list[float] = []

    def run(self) -> None:
        """Call at each moment, or as soon as the call before is answered."""
        for moment, body in self._moments:
            time.sleep(max(0.0, moment - time.monotonic()))
            head = (
                f"POST /identify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            self._connection.sendall(head.encode() + body)
            answer = self._connection.recv(65536)
            while not answer.rstrip().endswith(b"}}"):
                answer += self._connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:80]
            self.waited.append(time.monotonic() - moment)
        self._connection.close()


def steady(server: Server, side: str, contacts: int, rate: float, seconds: int) -> list[float]:
    """Return the seconds that each call took, at so many calls a second."""
    source, begin = bodies(side, contacts), time.monotonic() + 1
    moments: list[list[tuple[float, bytes]]] = [[] for _ in range(CALLERS)]
    moment, number = begin, 0
    while moment < begin + seconds:
        # As they come from many who know nothing of each other.
        moment += random.expovariate(rate)
        moments[number % CALLERS].append((moment, next(source)))
        number += 1
    callers = [Caller(server, each) for each in moments]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return [waited for caller in callers for waited in caller.waited]


def compare(contacts: int, seconds: int) -> list[str]:
    """Return a table of percentiles, on both databases."""
    lines = [
        "| milliseconds at half the capacity | calls a second | p50 | p95 | p99 |",
        "|---|---|---|---|---|",
    ]
    for backend in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as name, run.database(backend, Path(name)) as url:
            population.fill(run.driven(url), contacts)
            path = Path(name) / "bodies"
            run.write_bodies(contacts, path)
            with run.served(url, Path(name)) as server:
                for side in ("repeat", "new"):
                    run.load(server, side, path, 2)
                    rate = run.load(server, side, path, 4) / 2
                    waited = steady(server, side, contacts, rate, seconds)
                    cuts = quantiles(waited, n=100)
                    told = " | ".join(f"{cuts[at - 1] * 1000:.1f}" for at in (50, 95, 99))
                    lines.append(f"| {backend}, {side} | {rate:,.0f} | {told} |")
                    print(lines[-1], flush=True)
    return lines
