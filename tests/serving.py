"""A real gunicorn with real workers on a free port of 127.0.0.1."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from identity import ROOT

Answer = tuple[int, dict[str, Any], Any]


@dataclass
class Server:
    """A running service."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    successor: int | None = None
    """The process that took over, if one did."""

    def ask(self, method: str, path: str, body: object = None, timeout: float = 30) -> Answer:
        """Send a request on a connection of its own; return status, JSON and headers."""
        with urllib3.PoolManager(retries=False, timeout=timeout) as http:
            response = http.request(method, self.url + path, json=body)
            return response.status, response.json(), response.headers

    def identify(self, email: str | None = None, phone: str | None = None) -> Answer:
        """Send an email, a phone number or both to identify."""
        return self.ask("POST", "/identify", {"email": email, "phoneNumber": phone})

    def told(self, count: int) -> list[dict[str, Any]]:
        """Wait until the log tells of that many requests, and return them in order."""
        deadline = time.monotonic() + 10
        while True:
            lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
            if len(lines) >= count or time.monotonic() > deadline:
                return sorted(map(json.loads, lines), key=lambda line: str(line["time"]))
            time.sleep(0.05)

    def workers(self) -> list[int]:
        """Return the process ids of gunicorn's workers."""
        return children(self.process.pid)

    def doors(self) -> list[int]:
        """Return the process ids of the workers that answer calls."""
        return [pid for pid in self.workers() if name_of(pid) == "door"]

    def office(self) -> int | None:
        """Return the process id of the worker that answers everything else."""
        return next((pid for pid in self.workers() if name_of(pid) == "office"), None)


def children(pid: int) -> list[int]:
    """Return the ids of a process's children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def name_of(pid: int) -> str:
    """Return what a process is called; nothing when it is no more."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    database_url: str,
    folder: Path,
    *,
    app: str = "wsgi:app",
    arguments: Sequence[str] = (),
    port: int | None = None,
    **settings: object,
) -> Iterator[Server]:
    """Serve a database from the repository's own configuration until the block ends."""
    port = port or free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "SECRET_KEY": "hello, McFly",
        "PORT": str(port),
        # One process less to begin and to share the machine with; who wants it says so.
        "DELIVER_BESIDE": "0",
        **{name: str(value) for name, value in settings.items()},
    }
    log = folder / "gunicorn.log"
    # As `python -m gunicorn` it could not start its successor: among its own files the library's
    # http would hide Python's.
    command = [str(Path(sys.executable).parent / "gunicorn"), app, *arguments]
    with started(command, ROOT, log, port, environment) as server:
        yield server


@contextmanager
def started(
    command: Sequence[str], folder: Path, log: Path, port: int, environment: Mapping[str, str]
) -> Iterator[Server]:
    """Run what serves on that port, with that environment and no more, until the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_for(server)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(server: Server) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            # Any answer will do: some tests begin with a database that is down.
            server.ask("GET", "/health")
        except urllib3.exceptions.HTTPError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise RuntimeError(f"no server:\n{server.log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
