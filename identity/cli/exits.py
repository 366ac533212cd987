"""What the commands exit with: each number means one thing, whichever command it is."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TextIO

from identity import faults
from identity.errors import Unavailable

DONE = 0
"""It is done, or all is as it should be."""
DOUBTS = 1
"""Some cells or rows of a file could not be used."""
UNUSABLE = 2
"""The command line is not understood, or a file cannot be used or written."""
BROKEN_OFF = 3
"""The database went away, or could not be read at all."""
DAMAGED = 4
"""The database is there, and its own files are damaged."""
DRIFTED = 5
"""What is stored is not what the evidence says."""
REFUSED = 6
"""What was asked goes against what is on record."""
FAULT = 70
"""The program is at fault."""
STOPPED = 130
"""Whoever ran it stopped it, or did not say yes."""
SIGNALS = signal.SIGTERM, signal.SIGHUP
"""What else stops a command; it exits with 128 and the number of the signal, as shells have it."""


class Stopped(KeyboardInterrupt):
    """The command was told to end, by something else than Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def code_of(stopped: KeyboardInterrupt) -> int:
    """Return what a command exits with that was stopped so."""
    return 128 + stopped.number if isinstance(stopped, Stopped) else STOPPED


def of_database(problem: Unavailable) -> int:
    """Return what a command exits with that a database broke off."""
    return DAMAGED if faults.is_damage(problem) else BROKEN_OFF


@contextmanager
def stoppable() -> Iterator[None]:
    """Let signals end the block as Ctrl-C does: with an exception, so that nothing is left over."""

    def stop(number: int, _: FrameType | None) -> None:
        # Whoever shuts a machine down sends several.
        signal.signal(number, signal.SIG_IGN)
        raise Stopped(number)

    before = {}
    for number in SIGNALS:
        # Only the main thread may, and what `nohup` ignores stays ignored.
        with suppress(ValueError):
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def unwritable(what: object, error: OSError) -> str:
    """Return the sentence that something cannot be written, and why."""
    return f"{what}: cannot be written: {error.strerror or error}."


def hush(stdout: TextIO | None = None) -> None:
    """Write nothing more to stdout, not even what waits there: nobody takes it."""
    # Else Python says so once more when it ends, with a traceback and an exit code of its own.
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), (stdout or sys.stdout).fileno())
