"""The process that delivers, started beside the service: by the office, and again when it ended.

A process of its own, so that neither can hold up or take down the other. It ends with the office,
however that ends, and the next office starts another one.
"""

import subprocess
import sys
import threading
import time
from contextlib import suppress

COMMAND = (sys.executable, "-m", "flask", "--app", "wsgi", "identity", "deliver", "--beside")
PAUSE, LONGEST = 1.0, 60.0
"""Seconds after which it is started again; twice as many each time, until it keeps going."""
PARTING = 4.0
"""Seconds in which it ends when it is told to."""


class Beside:
    """Keeps a process going beside this one."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)

    def begin(self) -> None:
        """Start it, in a thread that starts it again."""
        self._thread.start()

    def end(self) -> None:
        """Let it end."""
        self._ended.set()
        with self._lock:
            if self._process is not None:
                with suppress(ProcessLookupError):
                    self._process.terminate()
        self._thread.join(PARTING)

    def _run(self) -> None:
        pause = PAUSE
        while not self._ended.is_set():
            begun = time.monotonic()
            with self._lock:
                if not self._ended.is_set():
                    # A machine without room for it now may have some later.
                    with suppress(OSError):
                        self._process = subprocess.Popen(self._command)  # noqa: S603
            if self._process is not None:
                self._process.wait()
            went_on = time.monotonic() - begun > LONGEST
            pause = PAUSE if went_on else min(2 * pause, LONGEST)
            self._ended.wait(pause)


def begin() -> Beside:
    """Start the process that delivers, and keep it going."""
    beside = Beside()
    beside.begin()
    return beside
