"""What a request begins and does not wait for: a thread of the process that answered it.

Where a process stands still between two requests, it is done before the request is answered.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from flask import Flask, current_app

from identity import database
from identity.errors import Unavailable
from identity.web import current, reporting

SOON = 0.7
"""Seconds for which whoever asked waits: most errands are done by then, and need no bar."""
AT_ONCE = 2
"""Errands that are run at the same time. More would only share the processor, and need memory."""
FULL = "The server has no room for another task. Try again in a minute."
FINISH, STOP = 15.0, 5.0
"""Seconds in which errands may come to their end when the process ends, and in which to stop."""

Errand = Callable[["Errands"], None]


class Errands:
    """The errands of this process."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._threads: set[threading.Thread] = set()

    def run(self, errand: Errand) -> None:
        """Begin an errand, and wait a moment for its end."""
        if current.config().frozen:
            _do(errand, self)
            return
        thread = threading.Thread(
            target=database.elsewhere(lambda: self._run(errand)), name="errand", daemon=True
        )
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:
            # The machine lets nobody have another. Who began the errand is not heard of any more,
            # and it can be begun again.
            self._threads.discard(thread)
            raise Unavailable(FULL) from error
        thread.join(SOON)

    @contextmanager
    def room(self, check: Callable[[], None]) -> Iterator[None]:
        """Wait until there is room, and `check` whether that is still wanted."""
        while not self._room.acquire(timeout=1):
            check()
        try:
            yield
        finally:
            self._room.release()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all errands are done, or so long."""
        until = None if seconds is None else monotonic() + seconds
        for thread in list(self._threads):
            thread.join(None if until is None else max(0.0, until - monotonic()))

    def end(self, patience: float = FINISH) -> None:
        """Let errands come to their end, or stop where they can be gone on with."""
        self.wait(patience)
        self.stopping.set()
        self.wait(STOP)

    def _run(self, errand: Errand) -> None:
        try:
            _do(errand, self)
        finally:
            self._threads.discard(threading.current_thread())


def of(app: Flask | None = None) -> Errands:
    """Return the errands of an app, or of the one at hand."""
    errands: Errands = (app or current_app).extensions.setdefault("errands", Errands())
    return errands


def _do(errand: Errand, errands: Errands) -> None:
    try:
        errand(errands)
    except Exception as error:
        # There is nobody to answer.
        current_app.logger.error("An errand failed: %s", type(error).__qualname__)
        reporting.report(error)
