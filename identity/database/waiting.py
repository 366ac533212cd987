"""Wait for a PostgreSQL server until it answers or time is up: in threads, and under gevent.

psycopg asks for its waiting as a generator that says what it waits for. In threads its own wait,
written in C, is the quickest. Under gevent that would stop everybody else, and what psycopg has in
its place takes half as long again as a pair of watchers.
"""

import sys
from collections.abc import Callable, Generator
from importlib import import_module
from select import POLLIN, POLLOUT, poll
from time import monotonic
from typing import Any, TypeVar

from psycopg import errors
from psycopg.waiting import Ready, Wait

T = TypeVar("T")
LONG = 60.0
"""Seconds after which whoever waits for ever waits anew: no clock takes infinity."""
Waited = Callable[[int, Wait, float], int]
"""Waits for a file until it is ready for something, so many seconds; returns for what, or 0."""


def connected(gen: Generator[tuple[int, Wait], Any, T], until: float) -> T:
    """Return the connection that `gen` makes; raise `ConnectionTimeout` when time is up."""
    waited = in_gevent() or in_thread
    try:
        file, wanted = next(gen)
        while (left := until - monotonic()) > 0:
            file, wanted = gen.send(waited(file, wanted, min(left, LONG)))
    except StopIteration as end:
        connection: T = end.value
        return connection
    raise errors.ConnectionTimeout("the server did not answer in time")


def answered(gen: Generator[Wait, Any, T], file: int, left: float, waited: Waited) -> T:
    """Return what `gen` comes to in so many seconds; raise `TimeoutError` when they are over."""
    until = monotonic() + left
    try:
        wanted = next(gen)
        while left > 0:
            wanted = gen.send(waited(file, wanted, min(left, LONG)))
            left = until - monotonic()
    except StopIteration as end:
        result: T = end.value
        return result
    raise TimeoutError


def in_thread(file: int, wanted: Wait, seconds: float) -> int:
    """Wait, with nobody else in this thread."""
    asked = poll()
    asked.register(file, (wanted & 1 and POLLIN) | (wanted & 2 and POLLOUT))
    return wanted if asked.poll(seconds * 1000) else Ready.NONE


def in_gevent() -> Waited | None:
    """Return how to wait where gevent lets many callers wait in one thread; None elsewhere."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("select"):
        return None
    hubs, waiters = import_module("gevent"), import_module("gevent.hub")

    def waited(file: int, wanted: Wait, seconds: float) -> int:
        hub = hubs.get_hub()
        waiter = waiters.Waiter(hub)
        ready, late = hub.loop.io(file, wanted), hub.loop.timer(seconds)
        ready.start(waiter.switch, wanted)
        late.start(waiter.switch, Ready.NONE)
        try:
            result: int = waiter.get()
        finally:
            ready.stop()
            late.stop()
            ready.close()
            late.close()
        return result

    return waited
