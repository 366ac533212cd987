"""What can go wrong, in the domain's own words.

No HTTP here: `web.errors` gives each of these a status code, and a test holds it to that.
Messages are sentences for the person who has to act on them. They never quote an email
or a phone number, because messages end up in logs.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class IdentityError(Exception):
    """Anything this service refuses or fails to do, with a sentence that says why."""


class InvalidInput(IdentityError):
    """Something given cannot be used; `fields` names each culprit and says what is wrong."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, str] = dict(fields or {})


class Unauthenticated(IdentityError):
    """Whoever asks has not said who they are, or not truly."""


class Forbidden(IdentityError):
    """Whoever asks may not do this."""


class TooManyRequests(IdentityError):
    """Too much was asked for in a short time; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(IdentityError):
    """Nobody we know answers to what was asked."""


class Gone(IdentityError):
    """A contact that ceased; `now` are the primaries of the customers with what it said."""

    def __init__(self, message: str, now: Sequence[int]) -> None:
        super().__init__(message)
        self.now = list(now)


class TooLarge(IdentityError):
    """What was asked for is too much for one answer."""


class Conflict(IdentityError):
    """What was asked goes against what stands; `told` says which plan or ruling that is."""

    def __init__(self, message: str, **told: Any) -> None:
        super().__init__(message)
        self.told = told


class Unavailable(IdentityError):
    """The database cannot be reached, or stayed too busy. Nothing is half written; try again."""


class Contended(Unavailable):
    """Others kept changing the same customers, and came first every time."""


class LostRace(IdentityError):
    """Somebody else's decision came first; ours must be made again from a fresh reading."""


class ConfigurationError(IdentityError):
    """A setting that cannot be right. Raised at start, never while serving."""
