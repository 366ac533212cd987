"""A real PgBouncer in transaction mode, on a free port of 127.0.0.1."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import UNPRIVILEGED, Postgres
from tests.serving import free_port

CONNECTIONS = 3
"""To the server, at most: fewer than callers, so that they are handed on all the time."""


@contextmanager
def pooled(server: Postgres, database: str) -> Iterator[str]:
    """Give the address of a database through a pooler."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    with tempfile.TemporaryDirectory(prefix="identity-pooler-") as name:
        folder, port = Path(name), free_port()
        (folder / "users").write_text('"identity" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{database} = host=127.0.0.1 port={server.port}\n"
            "[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\n"
            f"listen_port = {port}\nauth_type = trust\nauth_file = {folder}/users\n"
            f"pool_mode = transaction\ndefault_pool_size = {CONNECTIONS}\nmax_client_conn = 500\n"
        )
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        if user:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
        process = subprocess.Popen(
            [program, "-q", folder / "pgbouncer.ini"], user=user, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port)
            yield f"postgresql://identity@127.0.0.1:{port}/{database}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
