"""How long the database is waited for: one budget for a call, whatever it waits for.

A connection out of the pool, connecting, a lock, an answer, a race: all of them draw on the time
that `within` gives. It is kept on our side, because a server that is frozen keeps no time: its
kernel still says that it received what we sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic

PATIENCE = 4.8
"""Seconds a caller waits at most, for whatever it is, before a 503. Five are promised."""

PERSISTENCE = 20.0
"""Seconds for which somebody unhurried goes on losing races, and waits for SQLite's one writer: an
import that has come far, or a ruling about thousands, is not to be broken off by the other."""

_until = ContextVar("until", default=inf)
_unhurried = ContextVar("unhurried", default=False)


class within:  # noqa: N801, a context manager
    """Lets all that is asked of the database in a block end in time, or raise `Unavailable`.

    A class, because this is done for every call, and a generator takes four times as long.
    """

    __slots__ = ("_begun", "until")

    def __init__(self, seconds: float) -> None:
        self.until = min(_until.get(), monotonic() + seconds)

    def __enter__(self) -> None:
        self._begun = _until.set(self.until)

    def __exit__(self, *_: object) -> None:
        _until.reset(self._begun)


def anew() -> None:
    """Let the patience of the call at hand begin again: it was its client who took the time."""
    if _until.get() < inf:
        _until.set(monotonic() + PATIENCE)


@contextmanager
def unhurried() -> Iterator[None]:
    """Let what is asked in this block take as long as it takes, as an import or a plan does.

    It still gives up a lock, a race, or a server that does not even begin to answer.
    """
    before, begun = _unhurried.set(True), _until.set(inf)
    try:
        yield
    finally:
        _until.reset(begun)
        _unhurried.reset(before)


@contextmanager
def hurried() -> Iterator[None]:
    """Let what is asked in this block be given up as a call is, whatever it is part of."""
    before = _unhurried.set(False)
    try:
        yield
    finally:
        _unhurried.reset(before)


def is_unhurried() -> bool:
    """Tell whether somebody said that this takes long."""
    return _unhurried.get()


def until() -> float:
    """Return when patience ends, on the monotonic clock; `inf` when nobody said."""
    return _until.get()


def left(most: float = PATIENCE) -> float:
    """Return the seconds that are left, `most` at most."""
    seconds = _until.get() - monotonic()
    if seconds > most:
        return most
    return seconds if seconds > 0 else 0.0
