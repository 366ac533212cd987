"""Two phone numbers in one cell, with no mark between them that stands in no phone number.

Joined they would be a number that nobody has, or somebody else's.
"""

import re

from identity.identifiers import PHONE_LENGTH, is_valid_phone_number, parse_phone_number
from identity.importing.cells import Values

LONGEST = 15
"""Digits of the longest phone number there can be, with its country code."""
WHOLE = 7
"""Digits of a phone number that needs no other digits before or after it."""
LOCAL = 6
"""Digits of the shortest part that may be a number of its own: no country writes one number as two
parts of so many, but for the zero with which an area begins."""
UNCLEAR = "this may be one phone number or several. Put a semicolon between two numbers."
_WITHIN = re.compile(r"\s+"), re.compile(r"[^\d\s()+]+"), re.compile(r"[\W_]+")


def two_of(text: str, region: str | None) -> Values | None:
    """Return the two numbers that stand in a text with no mark between, or that there may be two.

    None when it is one number, or none at all.
    """
    words, digits = text.split(), digits_of(text)
    if digits < 2 * LOCAL or len(text) > 2 * PHONE_LENGTH:
        return None
    halves = " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
    if digits >= 2 * WHOLE and all(is_valid_phone_number(half, region) for half in halves):
        return Values(tuple(filter(None, (parse_phone_number(half, region) for half in halves))))
    if digits > LONGEST or not any(_falls_apart(text, mark) for mark in _WITHIN):
        return None
    begins = f"+{text.removeprefix('+').removeprefix('00')}"
    if text.startswith(("+", "00")):
        # Its country says how long it is: with the others it would be too long.
        return Values((), UNCLEAR) if is_valid_phone_number(begins.split()[0]) else None
    if digits < 2 * WHOLE and (
        is_valid_phone_number(text, region) or is_valid_phone_number(begins)
    ):
        return None
    return Values((), UNCLEAR)


def _falls_apart(text: str, mark: re.Pattern[str]) -> bool:
    """Tell whether each part of a text has as many digits as a number has."""
    parts = [part for part in mark.split(text) if digits_of(part)]
    if len(parts) < 2 or min(map(digits_of, parts)) < LOCAL:
        return False
    first, second, *_ = (part.lstrip(" (") for part in parts)
    # An area and a number of it.
    area = first.startswith("0") and not second.startswith("0") and digits_of(first) == LOCAL
    return not area


def digits_of(text: str) -> int:
    """Return how many digits a text has."""
    return sum(map(str.isdigit, text))
