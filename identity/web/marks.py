"""What a view says of itself: who may use it, what it takes and answers.

Whatever is done for every request asks the view at hand, and knows none by name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from identity.auditing import Deed

View = TypeVar("View", bound=Callable[..., object])


class May(Enum):
    """Who may use a view."""

    ANYONE = "anyone"
    VISITOR = "whoever is not refused outright"
    IDENTIFY = "keys that identify or resolve"
    READ = "keys that identify or read, and users who signed in"
    METRICS = "keys that read, and a configured address"
    STEWARD = "keys of stewards, and users who are stewards"
    LOOK = "users who signed in"
    RULE = "stewards and administrators"
    ADMINISTER = "administrators"


PEOPLE = {May.LOOK, May.RULE, May.ADMINISTER}
"""Who may use a page."""


@dataclass(frozen=True)
class Description:
    """What a view takes and answers."""

    answers: tuple[type[BaseModel], ...]
    """One of these; none for text."""
    status: int
    errors: tuple[int, ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    lines: bool
    """Whether it takes and answers lines, too: one JSON object for each in the one list."""


def allow(may: May) -> Callable[[View], View]:
    """Say who may use a view."""
    return _marked(may=may)


def describe(
    *answers: type[BaseModel],
    status: int = 200,
    errors: tuple[int, ...] = (),
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    lines: bool = False,
) -> Callable[[View], View]:
    """Say what a view takes and answers, apart from what follows from who may use it."""
    return _marked(description=Description(answers, status, errors, body, query, lines))


def take(largest: int, too_large: str) -> Callable[[View], View]:
    """Let the body be that large, in bytes, and say what is told of a larger one."""
    return _marked(largest=largest, too_large=too_large)


def when_too_old(answer: Callable[[], ResponseReturnValue]) -> Callable[[View], View]:
    """Say what is answered to a form that was open for too long."""
    return _marked(when_too_old=answer)


def recorded(deed: Deed) -> Callable[[View], View]:
    """Say what somebody does who uses a view, for the audit trail."""
    return _marked(deed=deed)


def quick(view: View) -> View:
    """Let the doors answer: the view computes for a millisecond or so, whatever it is asked."""
    return _marked(quick=True)(view)


def quiet(view: View) -> View:
    """Leave a view that machines ask all day out of the log."""
    return _marked(quiet=True)(view)


def _marked(**said: object) -> Callable[[View], View]:
    def mark(view: View) -> View:
        vars(view).update(said)
        return view

    return mark
