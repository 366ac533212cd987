"""What somebody typed into the search: its words, and what it would be to be told it.

Nothing here asks the database.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass

import phonenumbers

from identity.identifiers import (
    EMAIL_LENGTH,
    Identifiers,
    Kind,
    Value,
    is_of_email,
    legible,
    parse_email,
    parse_phone_number,
)
from identity.models import LARGEST_ID
from identity.searching import numbers
from identity.searching.numbers import SHORTEST
from identity.searching.words import Where, Word

MOST = 5
"""Words that are looked for; the rest is left out."""
FEWEST = 6
"""Digits of what is taken for a whole number, and not for a part of one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, word by word."""

    typed: str
    words: tuple[Word, ...]

    @property
    def too_short(self) -> bool:
        """Tell whether nothing of it says enough."""
        return not any(word.is_long or word.contact_id is not None for word in self.words)

    def given(self) -> Identifiers | None:
        """Return what it would be to be told this; None when it is not whole, or more than that."""
        values = [word.given for word in self.words if word.given]
        kinds = {value.kind: value.text for value in values}
        if not values or not len(kinds) == len(values) == len(self.words):
            return None
        return Identifiers(kinds.get(Kind.EMAIL), kinds.get(Kind.PHONE))

    def one_by_one(self) -> list["Asked"]:
        """Return each word by itself."""
        return [Asked(word.typed, (word,)) for word in self.words]

    def pieces(self, where: Where, value: str) -> list[tuple[str, bool]]:
        """Return a value in pieces, and of each whether it is what was typed."""
        spans = sorted(span for word in self.words for span in word.spans(where, value))
        pieces, done = [], 0
        for begin, end in spans:
            begin = max(begin, done)
            if begin < end:
                pieces += [(value[done:begin], False), (value[begin:end], True)]
                done = end
        pieces.append((value[done:], False))
        return [(text, marked) for text, marked in pieces if text]


def read(typed: str, region: str | None = None) -> Asked:
    """Return what was typed as words. A number is one, however it is spaced."""
    text = legible(typed)[:EMAIL_LENGTH]
    tokens = list(numbers.joined(numbers.plain(text).split()))
    # A dash or a dot between two, as in what was copied from a page.
    telling = [token for token in tokens if any(map(str.isalnum, token))] or tokens
    return Asked(text, tuple(_word(token, region) for token in telling[:MOST]))


def _word(token: str, region: str | None) -> Word:
    lower = unicodedata.normalize("NFC", token.lower())
    spellings = dict.fromkeys((token, lower, token.upper()))
    references = tuple(spellings) if len(token) >= SHORTEST else ()
    contact_id = _id(token.removeprefix("#"))
    if token.startswith("#"):
        return Word(token, lower, (), contact_id, references, in_emails=False, in_names=False)
    if numbers.is_like_one(token):
        return _number(token, region, contact_id, references)
    email = None
    with suppress(ValueError):
        email = Value(Kind.EMAIL, parse_email(token) or "") if is_of_email(token) else None
    return Word(
        token,
        lower,
        references=references,
        exactly=frozenset({email} if email else ()),
        given=email,
        in_names=not is_of_email(token),
    )


def _number(
    token: str, region: str | None, contact_id: int | None, references: tuple[str, ...]
) -> Word:
    forms = tuple(dict.fromkeys(numbers.forms(token)))
    spellings = {form.text for form in forms}
    given = None
    with suppress(ValueError):
        number = parse_phone_number(token, region) or ""
        spellings.add(number)
        digits = phonenumbers.normalize_digits_only(number)
        given = Value(Kind.PHONE, number) if len(digits) >= FEWEST else None
    return Word(
        token,
        unicodedata.normalize("NFC", token.lower()),
        forms,
        contact_id,
        references,
        frozenset(Value(Kind.PHONE, spelling) for spelling in spellings),
        given,
        in_emails=token.isdigit(),
        in_names=False,
    )


def _id(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or text.startswith("0"):
        return None
    return int(text) if int(text) <= LARGEST_ID else None
