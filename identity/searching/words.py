"""The words of a search, and where each stands in what is stored.

What counts as the same letter is decided here, what counts as the same number in `numbers`.
Nothing here asks the database.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from identity.identifiers import (
    Kind,
    Value,
)
from identity.searching import numbers
from identity.searching.numbers import SHORTEST, WHOLE, Form


class Where(StrEnum):
    """What something was found in."""

    CONTACT = "contact"
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    REFERENCE = "reference"


KINDS = {Where.EMAIL: Kind.EMAIL, Where.PHONE: Kind.PHONE}


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that was typed: it may be a part of an email, a number, a name, an id."""

    typed: str
    text: str
    """In lower case."""
    forms: tuple[Form, ...] = ()
    """How it may stand in a phone number; none when it is none."""
    contact_id: int | None = None
    references: tuple[str, ...] = ()
    """The spellings in which a source's own id may begin with it."""
    exactly: frozenset[Value] = frozenset()
    """The identifiers that it is as a whole."""
    given: Value | None = None
    """The identifier that it would be if it were told; None for a part of one."""
    in_emails: bool = True
    in_names: bool = True

    @property
    def is_long(self) -> bool:
        """Tell whether it says enough to be looked for in the middle of something."""
        # A name of two characters is a whole one in Chinese.
        shortest = 2 if any(unicodedata.category(c) == "Lo" for c in self.text) else SHORTEST
        return len(self.forms[0].text if self.forms else self.text) >= shortest

    def patterns(self) -> list[str]:
        """Return patterns for LIKE, of which one is true of each number that has it."""
        shortest = min((form.text for form in self.forms), key=len, default="")
        if len(shortest) >= WHOLE and all(shortest in form.text for form in self.forms):
            # Asked once of each number, and hardly any has that elsewhere.
            return [f"%{shortest}%"]
        return [form.pattern() for form in self.forms]

    def spans(self, where: Where, value: str) -> list[tuple[int, int]]:
        """Return from where to where it stands in a value; [] when it does not."""
        if where is Where.PHONE:
            return [span for form in self.forms for span in form.spans(value)]
        if where is Where.REFERENCE:
            begins = any(value.startswith(each) for each in self.references)
            return [(0, len(self.references[0]))] if begins else []
        if where is Where.CONTACT:
            return [(0, len(value))] if value == str(self.contact_id) else []
        if where is Where.EMAIL:
            return list(numbers.all_of(self.text, value)) if self.in_emails else []
        return list(numbers.all_of(folded(self.typed), folded(value))) if self.in_names else []

    def rank(self, where: Where, value: str) -> int:
        """Return how good a match is, the smaller the better."""
        if where is Where.CONTACT or self.is_exactly(where, value):
            return 0
        spans = self.spans(where, value)
        if where is Where.PHONE and any(
            end == len(value) and end - begin >= WHOLE and begin <= 4 for begin, end in spans
        ):
            return 1
        return 2 if any(begin == 0 for begin, _ in spans) else 3

    def is_exactly(self, where: Where, value: str) -> bool:
        """Tell whether it is all of a value."""
        if where is Where.REFERENCE:
            return value in self.references
        if where is Where.NAME:
            return folded(value) == folded(self.typed)
        return where in KINDS and Value(KINDS[where], value) in self.exactly


def folded(text: str) -> str:
    """Return a text in lower case, letter by letter, so that it is as long as before."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
