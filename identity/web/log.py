"""The log: how a line is written, and when."""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any


def begin(*, at_once: bool) -> None:
    """Begin to write the log to stderr: as JSON, unless somebody is looking."""
    root = logging.getLogger("identity")
    if not root.handlers:
        # No line tells of them, and finding them out takes a fourth of making one.
        logging.logThreads = logging.logMultiprocessing = False
        # A process that stands still between requests would write its lines with the next one.
        handler = logging.StreamHandler() if at_once else Gathered()
        handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
        root.addHandler(handler)
        # Whoever runs us may have a handler of their own, which would tell everything again.
        root.propagate = False
        root.setLevel(logging.INFO)


class Seldom:
    """Says what goes on and on once a minute, and how often it was.

    A database that is away is the same news for every call.
    """

    SECONDS = 60.0

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, int]] = {}
        """Of each sentence: when it was said last, and how often it was not since."""

    def say(self, sentence: str, details: Iterable[str], say: Callable[[str], object]) -> None:
        """Say a sentence, with the details the first time, unless it was said a moment ago."""
        now = time.monotonic()
        at, more = self._said.get(sentence, (None, 0))
        if at is not None and now < at + self.SECONDS:
            self._said[sentence] = at, more + 1
            return
        self._said[sentence] = now, 0
        if at is None:
            say("\n".join((sentence, "".join(details))))
        else:
            say(f"{sentence} ({more} more like this in the last {now - at:.0f} seconds)")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record, with what it carries in `told`."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower()}
        told = getattr(record, "told", None)
        return json.dumps(line | (told if told is not None else {"message": record.getMessage()}))


class PlainLines(logging.Formatter):
    """One readable line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as somebody at a terminal reads it."""
        told = getattr(record, "told", None)
        if told is None:
            return record.getMessage()
        return f"{told['status']} {told['method']} {told['route']} {told['ms']} ms"


class Gathered(logging.Handler):
    """Writes what was logged ten times a second, in one go, and at once when something is wrong.

    A write for each request lets the other threads run in its middle, and took an eighth of a
    repeat's time.
    """

    SECONDS = 0.1

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[str] = []
        threading.Thread(target=self._write_on, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record until the next writing."""
        self._waiting.append(f"{self.format(record)}\n")
        if record.levelno >= logging.WARNING:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting. Python calls it too, when the process ends."""
        self.acquire()
        lines, self._waiting = self._waiting, []
        self.release()
        if lines:
            # Nobody can be told that nobody can be told; and who serves must go on serving.
            with suppress(OSError, ValueError):
                sys.stderr.write("".join(lines))
                sys.stderr.flush()

    def _write_on(self) -> None:
        while True:
            time.sleep(self.SECONDS)
            self.flush()
