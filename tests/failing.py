"""Databases that fail: frozen in their tracks."""

import os
import signal
from pathlib import Path

from tests.postgres import Postgres


class frozen:  # noqa: N801, a context manager
    """Stop a server's processes in their tracks for the length of a block.

    The kernel still says that it received what is sent to them.
    """

    def __init__(self, server: Postgres) -> None:
        assert server.process
        main = server.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        self.pids = [main, *map(int, children)]

    def __enter__(self) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)
