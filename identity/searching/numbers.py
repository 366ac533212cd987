"""The ways in which people write a phone number, and a part of one.

A search for 617-253-1014 finds +16172531014 whatever country is set, and the other way round.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

SHORTEST = 3
"""Characters that a search needs. Two match half of everybody and no index helps."""
WHOLE = 7
"""Digits from which on a number under another country code is taken for the same."""
LONGEST = 15
"""Digits of a phone number. Two that stand beside each other have more."""
_LIKE_ONE = re.compile(r"[\d+\uff0b()./\u2010-\u2015-]*\d[\d+\uff0b()./\u2010-\u2015-]*")
_TRUNK = re.compile(r"^((?:\+|\uff0b|00)[^(]*)\(0\)")
"""As in +49 (0)171: the zero is for those who do not dial the country code."""


@dataclass(frozen=True, slots=True)
class Form:
    """Digits as they may stand in a phone number: anywhere, or at a certain place."""

    text: str
    at: int | None = None
    """After how many digits of a country code, and its plus; 0 at the beginning."""

    def pattern(self) -> str:
        """Return the pattern for LIKE."""
        if self.at is None:
            return f"%{self.text}%"
        return f"{'+' if self.at else ''}{'_' * self.at}{self.text}%"

    def spans(self, value: str) -> Iterator[tuple[int, int]]:
        """Yield from where to where the digits stand in a number."""
        if self.at is None:
            yield from all_of(self.text, value)
            return
        begin = self.at + 1 if self.at else 0
        if value.startswith(self.text, begin) and (not self.at or value[0] == "+"):
            yield begin, begin + len(self.text)


def plain(text: str) -> str:
    """Return what was typed without what is not dialled."""
    return _TRUNK.sub(r"\1", text)


def is_like_one(token: str) -> bool:
    """Tell whether it is made of digits, and of what people put between them."""
    return _LIKE_ONE.fullmatch(token) is not None


def joined(tokens: Iterable[str]) -> Iterator[str]:
    """Yield tokens, and digits that stand beside each other as one."""
    number: list[str] = []
    for token in tokens:
        is_more = bool(number) and not any(map(str.isalnum, token))
        if number and not (is_more or _goes_on(number, token)):
            yield "".join(number)
            number = []
        if number or is_like_one(token):
            number.append(token)
        else:
            yield token
    if number:
        yield "".join(number)


def _goes_on(number: Sequence[str], token: str) -> bool:
    """Tell whether a number that has begun may go on with a token."""
    together = phonenumbers.normalize_digits_only("".join([*number, token]))
    is_one = token[0] not in "+\uff0b" and len(together) <= LONGEST
    return is_one and is_like_one(token)


def forms(token: str) -> Iterator[Form]:
    """Yield the ways in which digits may stand in a phone number."""
    digits = phonenumbers.normalize_digits_only(token)
    if token[0] in "+\uff0b":
        yield from _international(digits)
        return
    yield Form(digits)
    rest = digits[1:]
    if digits.startswith("00") and len(rest) > SHORTEST:
        yield from _international(digits[2:])
    elif digits.startswith("0") and len(rest) >= SHORTEST:
        # Dialled before a number only within its country.
        yield Form(rest, 0)
        yield from (Form(rest, length) for length in (1, 2, 3))
    elif len(digits) == 11 and digits[0] in "18":
        # The same, in America and in Russia.
        yield Form(rest, 0)
        yield Form(rest, 1)


def _international(digits: str) -> Iterator[Form]:
    yield Form(f"+{digits}", 0)
    if len(digits) < SHORTEST:
        return
    yield Form(digits, 0)
    for length in (1, 2, 3):
        national = digits[length:]
        if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            if len(national) >= SHORTEST:
                # As it was told where nobody said of which country.
                yield Form(national, 0)
                yield Form(f"0{national}", 0)
            return


def all_of(part: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where a part stands in a text, each time."""
    at = text.find(part)
    while part and at >= 0:
        yield at, at + len(part)
        at = text.find(part, at + len(part))
