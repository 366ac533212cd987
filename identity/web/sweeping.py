"""The sweep of the service: a thread of the office that looks at what was told, a little later.

It sleeps until somebody told something or looks at a page, so it asks nothing of a database at
rest. Nobody but the service begins it: a command sweeps when it is asked to, and where a process
stands still between two requests, the page has a button for it.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from flask import Flask, Response, request

from identity.config import Config
from identity.errors import IdentityError
from identity.reviewing import sweeping
from identity.reviewing.sweeping import Swept
from identity.web import current, reporting
from identity.web.marks import PEOPLE
from identity.web.pages import review

REST = 3.0
"""Seconds from being told something to looking at it: what comes meanwhile is looked at with it."""
AT_ONCE = 20.0
"""Seconds for which it looks before it rests."""
AS_LONG = 3
"""How many times as long as a step took it lets others work, before the next."""
MOST = 10.0
"""Seconds of that, at most."""
LATER = 30.0
"""Seconds after which it tries again when the database was away, or another worker was quicker."""


class Sweeper:
    """Looks at what was told, in a thread of its own."""

    def __init__(
        self,
        sweep: Callable[[Callable[[float], None]], Swept],
        report: Callable[[Exception], None],
    ) -> None:
        """Begin with what was told before this process was there.

        `sweep` is given what to do between two steps.
        """
        self._sweep = sweep
        self._report = report
        self._woken, self._ended = threading.Event(), threading.Event()
        self._woken.set()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def begin(self) -> None:
        """Begin in this process. After a fork there would be no thread."""
        self._thread.start()

    def wake(self) -> None:
        """Let it look at what was told now, soon."""
        # Asked first: setting takes a lock, and this is done for every call.
        if not self._woken.is_set():
            self._woken.set()

    def end(self, patience: float) -> None:
        """Let it end with the step that it is at."""
        self._ended.set()
        self._woken.set()
        self._thread.join(patience)

    def _pause(self, seconds: float) -> None:
        """Let others work, after a step of so many seconds."""
        self._ended.wait(min(AS_LONG * seconds, MOST))

    def _run(self) -> None:
        while self._woken.wait() and not self._ended.wait(REST):
            self._woken.clear()
            try:
                swept = self._sweep(self._pause)
            except IdentityError:
                swept = Swept(0, finished=False, overtaken=True)
            except Exception as error:
                # Whatever it is, calls are answered all the same, and the next one wakes it.
                self._report(error)
                continue
            if not swept.finished:
                self._woken.set()
                self._ended.wait(LATER if swept.overtaken else 0)


def begin(app: Flask) -> Sweeper | None:
    """Begin to sweep in this process, on behalf of an app that is about to be asked."""
    config: Config = app.config["IDENTITY"]
    if config.frozen:
        return None

    def report(error: Exception) -> None:
        app.logger.error("The sweep failed: %s", type(error).__qualname__)
        reporting.report(error)

    def sweep(pause: Callable[[float], None]) -> Swept:
        with app.app_context():
            return sweeping.sweep(review.many(), seconds=AT_ONCE, pause=pause)

    sweeper = Sweeper(sweep, report)
    hear(app, sweeper.wake)
    sweeper.begin()
    return sweeper


def hear(app: Flask, wake: Callable[[], None]) -> None:
    """Call `wake` after each request to an app that may have told something."""

    def heard(response: Response) -> Response:
        # A command may have told something too, which shows when somebody asks for a page.
        if request.method == "POST" or getattr(current.view(), "may", None) in PEOPLE:
            wake()
        return response

    app.after_request(heard)


class Messenger:
    """Lets doors wake the sweep of the office, through a pipe."""

    EVERY = 1.0
    """Seconds between two words of one door."""

    def __init__(self, pipe: int) -> None:
        """Write to that end of a pipe, which must not block."""
        self._pipe = pipe
        self._next = 0.0

    def tell(self) -> None:
        """Say that something was told, unless it was said just now."""
        if (now := time.monotonic()) > self._next:
            self._next = now + self.EVERY
            # It may be full, and then somebody will read it.
            with suppress(BlockingIOError):
                os.write(self._pipe, b".")


def listen(pipe: int, sweeper: Sweeper) -> None:
    """Wake the sweep whenever a door says so, in a thread of its own."""

    def run() -> None:
        while os.read(pipe, 4096):
            sweeper.wake()

    threading.Thread(target=run, name="listen", daemon=True).start()
