"""Readers of the feed who wait for a change: many at once, for next to nothing.

They wait where a wait costs no thread: at the doors, each of which looks for all of its readers
together. Without doors, as in development, a thread waits.
"""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from flask import Flask

from identity import database, feed
from identity.errors import IdentityError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

AT_ONCE = 200
"""Readers that wait in one process. More are answered at once."""
PAUSE = 0.5
"""Seconds between two looks."""
BY_DOOR = "identity.by_door"
"""What the environment of a request has when it came by a door."""
WAIT, WAITED = "Identity-Wait", "Identity-Waited"
"""The header by which the office asks a door to wait, with the number and the seconds, and the one
by which the door says that it has."""


class Waiting:
    """Those who wait in this process, and who looks for them."""

    def __init__(self, app: Flask, at_once: int = AT_ONCE) -> None:
        self.closing = False
        self._app = app
        self._room = threading.BoundedSemaphore(at_once)
        self._news = threading.Condition()
        self._waiting = 0
        self._looking = False
        self._latest = 0

    def wait(self, number: int, seconds: float, is_gone: Callable[[], bool]) -> bool:
        """Wait for a change after a number; tell whether there is one.

        With `is_gone` a client is asked after, whose place is free as soon as it hangs up.
        """
        if not self._room.acquire(blocking=False):
            return False
        try:
            self._enter()
            return self._wait(number, monotonic() + seconds, is_gone)
        finally:
            with self._news:
                self._waiting -= 1
            self._room.release()

    def _enter(self) -> None:
        with self._news:
            self._waiting += 1
            if not self._looking:
                threading.Thread(target=self._look, name="changes", daemon=True).start()
                self._looking = True

    def _wait(self, number: int, until: float, is_gone: Callable[[], bool]) -> bool:
        while not self.closing and not is_gone():
            with self._news:
                if self._latest > number:
                    return True
                left = until - monotonic()
                if left <= 0:
                    return False
                self._news.wait(min(PAUSE, left))
        return False

    def _look(self) -> None:
        """Look for what is new, for as long as anybody waits."""
        pause = threading.Event()
        try:
            while self._goes_on():
                # Whoever waits is answered with nothing, and asks again.
                with suppress(IdentityError), self._app.app_context():
                    feed.publish()
                    latest = database.read(feed.latest)
                    with self._news:
                        self._latest = latest
                        self._news.notify_all()
                pause.wait(PAUSE)
        except BaseException:
            # Else nobody would ever look again: the next one who waits lets somebody.
            with self._news:
                self._looking = False
            raise

    def _goes_on(self) -> bool:
        # Decided where readers enter: each is looked for, and by no more than one.
        with self._news:
            self._looking = self._waiting > 0 and not self.closing
            return self._looking


def of(app: Flask) -> Waiting:
    """Return who waits in an app."""
    waiting: Waiting = app.extensions.setdefault("waiting", Waiting(app))
    return waiting


def gone(environ: "WSGIEnvironment") -> Callable[[], bool]:
    """Return what tells whether a client has hung up."""
    client: Any = environ.get("gunicorn.socket")

    def is_gone() -> bool:
        if client is None:
            return False
        try:
            # Not `select`, which knows no descriptor above 1023: all of those would be gone.
            asked = select.poll()
            asked.register(client, select.POLLIN)
            return bool(asked.poll(0)) and not client.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    return is_gone
