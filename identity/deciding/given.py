"""What goes in: what is told, what is known before, and what was ruled about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from identity.identifiers import Kind, Value, email_value, phone_value

NEW = 1 << 62
"""Where the numbers of new contacts and claims begin until the database gives them ids. Above every
id: of two equally old contacts the known one is the older, as if it had been there first."""

Content = tuple[str | None, str | None]
"""What a contact says: an email, a phone number, or both."""
Age = tuple[datetime, int]
"""When a contact was created, and its number: of equally old ones the smaller is the older."""


@dataclass(slots=True)
class Ruled:
    """What was ruled about the values concerned."""

    nobody: set[Value] = field(default_factory=set)
    """The values that link nobody."""
    apart: dict[Value, dict[Value, int]] = field(default_factory=dict)
    """From each value to those that it is kept apart from, and the ruling that says so."""

    def keep_apart(self, one: Value, other: Value, ruling_id: int) -> None:
        """Note that two values are kept apart."""
        self.apart.setdefault(one, {})[other] = ruling_id
        self.apart.setdefault(other, {})[one] = ruling_id


class Memory(NamedTuple):
    """The contacts that a claim made, when it did, remembered for when it makes them again."""

    contact: int | None = None
    brought: Kind | None = None
    """Which identifier that contact is of, should the claim be told as two."""
    other: int | None = None
    """The contact of the other one."""


NOTHING = Memory()


class Call(NamedTuple):
    """What one source tells at once: a call to identify, or what a row of a file stands for.

    A tuple: there are millions of them, and they travel between processes.
    """

    email: str | None
    phone_number: str | None
    dated: datetime | None = None
    """When its file says that this was learnt; None for now."""
    line: int = 0
    """Its line in the file."""
    reference: str = ""
    """What the source calls the record; empty when it does not say, as is the name."""
    name: str = ""

    @property
    def content(self) -> Content:
        """The email and the phone number."""
        return self.email, self.phone_number

    def without_texts(self, is_to_go: Callable[[str], bool]) -> "Call":
        """Return it without its reference, or its name, where that is to go."""
        reference, name = ("" if is_to_go(text) else text for text in (self.reference, self.name))
        return self._replace(reference=reference, name=name)

    def values(self) -> Sequence[Value]:
        """Return what was given, the email first."""
        # Asked for many times of each call: going through a generator takes twice as long.
        email, phone_number = self.email, self.phone_number
        if email is None:
            return () if phone_number is None else (phone_value(phone_number),)
        if phone_number is None:
            return (email_value(email),)
        return email_value(email), phone_value(phone_number)


@dataclass(slots=True)
class Known:
    """What is known of some values before more is told."""

    holders: dict[Value, int] = field(default_factory=dict)
    """The primary of each value that somebody has."""
    oldest: dict[int, Age] = field(default_factory=dict)
    """Of each of those primaries: its age."""
    contents: dict[Content, tuple[int, datetime]] = field(default_factory=dict)
    """The contacts that say exactly that: id, and when created."""
    concerned: dict[int, set[Value]] = field(default_factory=dict)
    """Of a primary's values those that are kept apart from others."""
    claims: dict[Content, tuple[int, datetime]] = field(default_factory=dict)
    """What the source has told already: the claim, and its date."""
    pairs: set[Content] = field(default_factory=set)
    """The pairs that anybody has told already."""
    held: set[Content] = field(default_factory=set)
    """The pairs of which a ruling keeps the two apart."""
    references: set[tuple[int, str, str]] = field(default_factory=set)
    """A claim, a reference and a name that it carries already."""

    def is_repeat(self, call: Call, nobody: set[Value]) -> bool:
        """Tell whether the source has said all this before, and the tables hold it."""
        content = call[:2]
        told = self.claims.get(content)
        if told is None or (call.dated and call.dated < told[1]):
            return False
        if (call.reference or call.name) and (
            (told[0], call.reference, call.name) not in self.references
        ):
            return False
        holders = {self.holders.get(value) for value in call.values() if value not in nobody}
        return None not in holders and (len(holders) < 2 or content in self.held)
