"""The process that delivers, and a receiver, each a real process; killed, and started again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from identity import ROOT
from tests.serving import eventually, free_port

KEY = "hello, McFly"


class Process:
    """A process that may be killed, and started again as it was."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self._begun = command, log, environment
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command, log, environment = self._begun
        with log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=ROOT, env=dict(environment), stdout=output, stderr=output
            )

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()

    def again(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.process = self._start()


class ReceiverProcess(Process):
    """A receiver that verifies, notes down, and fails one in so many."""

    def __init__(self, folder: Path, secret: str, port: int, failing: int) -> None:
        self.file = folder / "received"
        script = str(ROOT / "tests" / "receiving.py")
        command = [sys.executable, script, str(port), secret, str(self.file), str(failing)]
        super().__init__(command, folder / "receiver.log", {"PATH": os.environ["PATH"]})

    def came(self) -> list[dict[str, Any]]:
        """Return what came, in the order in which it did."""
        if not self.file.exists():
            return []
        # The last line of one that was killed may be half.
        lines = self.file.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.endswith("}")]

    def numbers(self) -> set[int]:
        """Return the numbers of the changes that came and were taken."""
        return {each["told"]["data"]["number"] for each in self.came() if not each["failed"]}

    def check(self, numbers: set[int]) -> None:
        """Find each change here at least once, none unsigned, and each customer's in order."""
        came = self.came()
        assert all(each["told"] for each in came), "one was not signed"
        assert self.numbers() == numbers
        taken: dict[str, int] = {}
        for each in came:
            if not each["failed"]:
                taken.setdefault(each["id"], each["told"]["data"]["number"])
        assert len(taken) == len(numbers), "a message had two ids"
        last: dict[int, int] = {}
        for each in came:
            told = each["told"]["data"]
            if not each["failed"] and taken.pop(each["id"], 0):
                for customer in {told["customer"], *told["before"], *told["after"]}:
                    assert last.get(customer, 0) < told["number"], "one overtook another"
                    last[customer] = told["number"]


@contextmanager
def deliverer(url: str, folder: Path) -> Iterator[Process]:
    """Run the process that delivers what is in a database, until the block ends."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "SECRET_KEY": KEY,
        "WEBHOOKS_INSECURE": "1",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "identity", "deliver"]
    process = Process(command, folder / "deliverer.log", environment)
    try:
        yield process
    finally:
        process.process.terminate()
        process.process.wait(timeout=30)


@contextmanager
def receiver(folder: Path, secret: str, port: int, failing: int) -> Iterator[ReceiverProcess]:
    """Run a receiver until the block ends."""
    process = ReceiverProcess(folder, secret, port, failing)
    try:
        eventually(process.file.exists)
        yield process
    finally:
        process.kill()


__all__ = ["deliverer", "free_port", "receiver"]
