"""The phone numbers of a cell: one, several, or what a spreadsheet has left of one."""

import re
from collections.abc import Iterator
from functools import lru_cache

from identity.identifiers import (
    PHONE_LENGTH,
    is_valid_phone_number,
    parse_phone_number,
    plain_phone_number,
)
from identity.importing.cells import (
    BROKEN,
    NONE,
    REMEMBERED,
    Values,
    is_absent,
    is_broken,
    plain,
    text_of,
    together,
)

LONGEST = 15
"""Digits of the longest phone number there can be, with its country code."""
WHOLE = 7
"""Digits of a phone number that needs no other digits before or after it."""
LOCAL = 6
"""Digits of the shortest part that may be a number of its own: no country writes one number as two
parts of so many, but for the zero with which an area begins."""
NO_NUMBER = "this is not a phone number. It should hold digits and punctuation, and no words."
DESTROYED = (
    "a spreadsheet has destroyed this number: its last digits are lost. "
    "Export it again, with the column as text."
)
NO_REGION = (
    "this number has an extension, which can be read only when its country is known. "
    "Write it with the country code, as in +49, or choose a country for the file."
)
TOO_LONG = "this has more digits than a phone number can have. Put a semicolon between two numbers."
UNCLEAR = "this may be one phone number or several. Put a semicolon between two numbers."
NO_DATE = "this is a date, a time or an amount, and not a phone number."
_BETWEEN_NUMBERS = re.compile(r"[;|\r\n]+(?!\s*ext=)|:::|(?<=\d)[)\s]*(?=\+)")
_EXTENSION = re.compile(
    r"\s*(?:ext|extn|extension|x|#|dw|durchwahl|app|poste|anexo|ramal|int|interno|toestel)[.:=\s]*\d+\s*",
    re.IGNORECASE,
)
_EXTENDED = re.compile(rf"\d[\s,;]*{_EXTENSION.pattern}$", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:tel|phone|telefon|mobile?|mob|cell|handy|callto|whatsapp|sms)\s*[.:]+\s*(?=[+(\d])",
    re.IGNORECASE,
)
_SIMPLE = re.compile(r"\+?[\d ()-]*\d")
"""What most numbers look like, and nothing else does."""
_FRACTION = re.compile(r"(\+?\d{5,})[.,]0{1,2}")
_DATED = re.compile(
    r"(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?:[T ].*)?"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)\d\d(?: .*)?"
    r"|\d?\d:\d\d(?::\d\d)?|\d+\.\d{1,2}"
)
"""Below the header of phone numbers where a cell is missing: who came on one day would be one."""
_WITHIN = re.compile(r"\s+"), re.compile(r"[^\d\s()+]+"), re.compile(r"[\W_]+")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,.]\d{3}){2,}")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)


@lru_cache(REMEMBERED)
def phone_numbers_of(text: str, region: str | None) -> Values:
    """Return the phone numbers of a cell, normalised, in their order. `region` is their country."""
    if number := plain_phone_number(text):
        return Values((number,))
    if text != "0" and _SIMPLE.fullmatch(text):
        return _number(text, region)
    text = plain(text)
    if is_absent(text) or text == "0":
        return NONE
    if is_broken(text):
        return Values((), BROKEN)
    if _SCIENTIFIC.fullmatch(text):
        return Values((), DESTROYED)
    parts = [part for part in numbers_in(text) if not is_absent(part.strip())]
    return together(each for part in parts for each in _numbers(part, region))


def reference_of(text: str) -> Values:
    """Return a reference, which may be a number that a spreadsheet has destroyed, or a name."""
    return Values((), DESTROYED) if _SCIENTIFIC.fullmatch(text) else text_of(text)


def numbers_in(text: str) -> list[str]:
    """Return the parts of a cell that something stands between which is in no phone number."""
    text = text.removeprefix("=")
    parts = _BETWEEN_NUMBERS.split(text)
    if len(parts) > 1:
        # An extension belongs to what stands before it.
        joined = parts[:1]
        for part in parts[1:]:
            if _EXTENSION.fullmatch(part):
                joined[-1] += f" {part}"
            else:
                joined.append(part)
        parts = joined
    return [_whole(part) for part in parts]


def _whole(part: str) -> str:
    found = _FRACTION.fullmatch(part.strip())
    return found[1] if found else part


def pieces_of(part: str) -> list[str]:
    """Return what commas and slashes leave of a part. It may be one number all the same."""
    if _THOUSANDS.fullmatch(part.strip()):
        return [part]
    mark = "," if "," in part else "/"
    pieces = [piece for piece in part.split(mark) if piece.strip()]
    if any(_EXTENSION.fullmatch(piece) for piece in pieces[1:]):
        return [part]
    return pieces


def _numbers(part: str, region: str | None) -> Iterator[Values]:
    """Yield the number that a part is, or the numbers."""
    part = _LABEL.sub("", part.strip())
    pieces = pieces_of(part)
    if len(pieces) > 1:
        # Of two numbers each is whole. 0151/234567 is a prefix and the rest.
        if all(_digits(piece) >= WHOLE for piece in pieces):
            whole = "/" in part and "," not in part and is_valid_phone_number(part, region)
            if not whole or all(is_valid_phone_number(piece, region) for piece in pieces):
                yield from (each for piece in pieces for each in _numbers(piece.strip(), region))
                return
        elif "," in part and not is_valid_phone_number(part, region):
            yield Values((), UNCLEAR)
            return
    yield _number(part, region)


def _number(text: str, region: str | None) -> Values:
    if _DATED.fullmatch(text):
        return Values((), NO_DATE)
    if _digits(text) >= 2 * LOCAL and (two := _two(text, region)):
        return two
    try:
        number = parse_phone_number(text, region)
    except ValueError:
        # Of a megabyte of blanks the search would take days.
        if region is None and len(text) <= PHONE_LENGTH and _EXTENDED.search(text):
            return Values((), NO_REGION)
        return Values((), NO_NUMBER if _digits(text) <= LONGEST else TOO_LONG)
    if number is None:
        return NONE
    if len(number) <= LONGEST:
        return Values((number,))
    main = number.partition(";")[0].removeprefix("00")
    return Values((number,)) if _digits(main) <= LONGEST else Values((), TOO_LONG)


def _two(text: str, region: str | None) -> Values | None:
    """Return the two numbers that stand in a text with no mark between, or that there may be two.

    None when it is one number, or none at all.
    """
    words, digits = text.split(), _digits(text)
    if len(text) > 2 * PHONE_LENGTH:
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
    parts = [part for part in mark.split(text) if _digits(part)]
    if len(parts) < 2 or min(map(_digits, parts)) < LOCAL:
        return False
    first, second, *_ = (part.lstrip(" (") for part in parts)
    # An area and a number of it.
    area = first.startswith("0") and not second.startswith("0") and _digits(first) == LOCAL
    return not area


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))
