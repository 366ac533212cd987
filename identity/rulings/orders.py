"""What is said beside a ruling, by whoever asks for it: why, and the plan that it must keep to."""

import re

from identity.errors import InvalidInput

REASON_LENGTH = 1000
# PostgreSQL takes no NUL, no driver a lone surrogate, and a terminal obeys the rest.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def reason(given: object) -> str | None:
    """Return why, None when nothing is said; raise `InvalidInput`. It may have several lines."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise _wrong("reason", "must be a string.")
    text = given.replace("\r\n", "\n").strip()
    if len(text) > REASON_LENGTH:
        raise _wrong("reason", f"must be at most {REASON_LENGTH} characters long.")
    if _CONTROL.search(text):
        raise _wrong("reason", "must not hold control characters.")
    return text or None


def planned(given: object) -> str | None:
    """Return the fingerprint of a plan, None when there is none; raise `InvalidInput`."""
    if given is not None and not isinstance(given, str):
        raise _wrong("plan", "must be the fingerprint of a plan.")
    return given


def _wrong(field: str, sentence: str) -> InvalidInput:
    told = f"{field} {sentence}"
    return InvalidInput(told, {field: told})
