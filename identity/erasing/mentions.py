"""Whether a text mentions somebody: an email or a phone number, however it is written.

A cell of a file, the reason of a ruling, a plan that was kept. In doubt it does: what is left out
too much can be brought again.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, and_, func, or_

from identity.identifiers import Kind, Value, is_of_email, legible

FEW = 100
"""Emails that are looked for wherever they stand in a text, and not only as a word of it."""
LOCAL = 7
"""Digits at the end of a number by which it is known without its country's or area's code."""
WORDS = re.compile(r"[^\s\"<>()\[\],;:|]+@[^\s\"<>()\[\],;:|]+")
NUMBERS = re.compile(r"\+?\d[\d\s().\-/\u00a0\u2010-\u2015]*")
MARKS = "[@\uff200-9\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]"
"""What stands in whatever mentions somebody: a digit, or the sign of an email."""
ODD = "[^ -~]"
# A backslash means something else where a pattern is compared.
ASCII = re.compile(r"[ -\[\]-~]+")
SEVERAL = 20
"""Values that the database looks for; of more, it is quicker to read what has a mark."""
PARTS = 8
"""Of a number, with spaces between them, at most."""
EDGES = "'.`!?*_-{}"
POINT_NOUGHT = re.compile(r"\.0+$")


class Mentions:
    """Emails and phone numbers, to be looked for in texts."""

    def __init__(self, values: Iterable[Value]) -> None:
        """Look for `values`, which are normalised."""
        self.values = values = frozenset(values)
        self._emails = {_plain(value.text) for value in values if value.kind is Kind.EMAIL}
        numbers = {_significant(value.text) for value in values if value.kind is Kind.PHONE}
        self._numbers = numbers
        self._local: dict[str, set[str]] = {}
        for number in numbers:
            if len(number) >= LOCAL:
                self._local.setdefault(number[-LOCAL:], set()).add(number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mentions) and self.values == other.values

    def __hash__(self) -> int:
        return hash(self.values)

    def any_in(self, texts: Iterable[str]) -> bool:
        """Tell whether any of some texts mentions any of them."""
        return any(map(self.in_text, texts))

    def in_text(self, text: str) -> bool:
        """Tell whether a text mentions any of them."""
        if self._emails and is_of_email(text) and self._has_email(_plain(text)):
            return True
        return bool(self._numbers) and any(map(self._is_number, _numbers_in(text)))

    def likely_in(self, column: ColumnElement[str], *, on_sqlite: bool) -> ColumnElement[bool]:
        """Return the condition on a column that holds wherever `in_text` may: much is not read."""

        def has(characters: str) -> ColumnElement[bool]:
            # SQLite knows no regular expressions, and would call Python for each row.
            if on_sqlite:
                return column.bool_op("GLOB")(f"*{characters}*")
            return column.regexp_match(characters)

        marked = has(MARKS)
        if len(self.values) > SEVERAL:
            return marked
        # What is not ASCII may be spelt in more ways than the database knows.
        odd = and_(has(ODD), marked)
        patterns = sorted({_pattern(value) for value in self.values})
        return or_(odd, *(func.lower(column).like(pattern) for pattern in patterns))

    def _has_email(self, text: str) -> bool:
        if len(self._emails) <= FEW and any(email in text for email in self._emails):
            return True
        for word in WORDS.findall(text):
            if word in self._emails or word.strip(EDGES) in self._emails:
                return True
        return False

    def _is_number(self, number: str) -> bool:
        if number in self._numbers:
            return True
        if len(number) < LOCAL:
            return False
        others = self._local.get(number[-LOCAL:], ())
        return any(other.endswith(number) or number.endswith(other) for other in others)


def _pattern(value: Value) -> str:
    if value.kind is Kind.PHONE:
        # Whatever stands between the digits.
        return f"%{'%'.join(_significant(value.text)[-LOCAL:])}%"
    (*parts,) = ASCII.findall(value.text.lower())
    return f"%{max(parts, key=len)}%"


def _plain(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        # As identifiers are: an invisible character in its midst does not hide an address.
        text = " ".join(map(legible, text.split()))
    return unicodedata.normalize("NFC", text.lower())


def _numbers_in(text: str) -> Iterator[str]:
    if not text.isascii():
        text = "".join(_as_ascii(character) for character in text)
    for found in NUMBERS.findall(text):
        parts = found.split()
        for start in range(len(parts)):
            # Several numbers may stand in a row, and one may be written in several parts.
            for end in range(start + 1, min(start + PARTS, len(parts)) + 1):
                yield _significant(POINT_NOUGHT.sub("", "".join(parts[start:end])))
    # With words or marks in its midst it may be one number nevertheless: 555 (mobile) 4385.
    yield _significant(POINT_NOUGHT.sub("", text.strip()))


def _as_ascii(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _significant(text: str) -> str:
    """Return the digits without the noughts before them, which are dialled and not kept."""
    digits = "".join(filter(str.isdigit, text.partition(";")[0]))
    return digits.lstrip("0") or digits
