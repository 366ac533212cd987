"""Whoever works on an uploaded file, and lets everybody know how far that is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from identity.errors import IdentityError
from identity.importing import signs, uploads
from identity.importing.uploads import Work

TOLD = 1.0
"""Seconds between two signs of life."""


class Stopped(IdentityError):
    """Somebody made other choices, threw the file away, or stopped the service."""


class Worker:
    """Whoever works on a file by a name, and tells how far it is."""

    def __init__(self, import_id: int, by: str, doing: str, stopping: threading.Event) -> None:
        """Stop where `stopping` is set."""
        self._import_id, self._by, self._doing = import_id, by, doing
        self._stopping, self._lost = stopping, threading.Event()
        self._step, self._rows = "", 0

    def read(self, step: str, rows: int) -> None:
        """Hear that so many more rows are done with; raise `Stopped` when this is to end."""
        if step != self._step:
            self._step, self._rows = step, 0
        self._rows += rows
        self.check()

    def anew(self, doing: str) -> None:
        """Go on with something else, from its first row."""
        self._doing, self._step, self._rows = doing, "", 0
        self._tell()
        self.check()

    def check(self) -> None:
        """Raise `Stopped` when this is to end."""
        if self._stopping.is_set():
            raise Stopped("The service was stopped meanwhile.")
        if self._lost.is_set():
            raise Stopped("Somebody chose otherwise meanwhile.")

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Let everybody know how far it is, until the block ends."""
        with signs.of_life(TOLD, self._tell):
            yield

    def keep(self, **values: object) -> None:
        """Keep what came of it so far, and go on."""
        if not uploads.end(self._import_id, self._by, work=self._work().as_json(), **values):
            self._lost.set()
        self.check()

    def end(self, **values: object) -> None:
        """Keep what came of it, unless it is somebody else's by now."""
        uploads.end(self._import_id, self._by, **values)

    def refuse(self, sentence: str) -> None:
        """Keep why the file cannot be read."""
        self._doing = uploads.REFUSED
        self.fail(sentence)

    def fail(self, sentence: str) -> None:
        """Keep that nothing came of it, and why."""
        self.end(work=self._work(sentence).as_json())

    def _tell(self) -> None:
        if not uploads.end(self._import_id, self._by, work=self._work().as_json()):
            self._lost.set()

    def _work(self, failed: str | None = None) -> Work:
        now = datetime.now(UTC)
        return Work(self._doing, self._by, now, self._step, self._rows, failed)
