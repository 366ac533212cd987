"""Databases that fail: frozen in their tracks, on a disk that is full or may only be read."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

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


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Give a folder on a disk of its own; skip the test where nobody may have one."""
    with tempfile.TemporaryDirectory(prefix="identity-disk-") as name:
        given = f"size={megabytes}m,mode=0777"
        if _mount("-t", "tmpfs", "-o", given, "tmpfs", name):
            pytest.skip("only root may mount")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Let nobody write to a disk, as a file system does that had an error."""
    assert not _mount("-o", "remount,ro", str(disk))
    try:
        yield
    finally:
        assert not _mount("-o", "remount,rw", str(disk))


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave no room on a disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096):
            pass
    yield
    filler.unlink()


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode
