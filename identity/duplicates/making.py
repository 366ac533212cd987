"""Counting, while everybody can see that it goes on; and what came of it, or why nothing did."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from identity.duplicates import kept
from identity.duplicates.kept import Kind
from identity.errors import Conflict, IdentityError
from identity.importing import signs

TOLD = 1.0
"""Seconds between two signs of life."""
UNDER_WAY = "This is being counted just now. Look again in a moment."
FAILED = "Something went wrong on our side while it was counted, and it is reported."


def make(kind: Kind, who: str, count: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Count, keep it, and return it; raise `Conflict` while somebody else is counting the same."""
    if (by := kept.begin(kind)) is None:
        raise Conflict(UNDER_WAY)
    return carry_out(kind, by, who, count)


def carry_out(kind: Kind, by: str, who: str, count: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do so by a name that `kept.begin` gave."""
    sentence = FAILED
    try:
        with signs.of_life(TOLD, lambda: kept.go_on(kind, by)):
            content = count()
        kept.end(kind, by, who, content)
    except BaseException as problem:
        if isinstance(problem, IdentityError):
            sentence = str(problem)
        elif isinstance(problem, KeyboardInterrupt):
            sentence = "It was stopped before it was done."
        # Whoever cannot be told will see that it is not heard of any more.
        with suppress(IdentityError):
            kept.fail(kind, by, sentence)
        raise
    return content
