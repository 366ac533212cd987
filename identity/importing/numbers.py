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
from identity.importing.side_by_side import LONGEST, UNCLEAR, WHOLE, digits_of, two_of

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
        if all(digits_of(piece) >= WHOLE for piece in pieces):
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
    if two := two_of(text, region):
        return two
    try:
        number = parse_phone_number(text, region)
    except ValueError:
        # Of a megabyte of blanks the search would take days.
        if region is None and len(text) <= PHONE_LENGTH and _EXTENDED.search(text):
            return Values((), NO_REGION)
        return Values((), NO_NUMBER if digits_of(text) <= LONGEST else TOO_LONG)
    if number is None:
        return NONE
    if len(number) <= LONGEST:
        return Values((number,))
    main = number.partition(";")[0].removeprefix("00")
    return Values((number,)) if digits_of(main) <= LONGEST else Values((), TOO_LONG)
