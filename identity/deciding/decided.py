"""What comes out: what is to be written of some calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from identity.deciding.given import NEW, Age, Call, Content, Memory
from identity.identifiers import Kind, Value
from identity.models import EventKind


class NewContact(NamedTuple):
    """A contact to be added."""

    number: int
    email: str | None
    phone_number: str | None
    created_at: datetime
    primary: int


class NewClaim(NamedTuple):
    """A claim to be added."""

    number: int
    email: str | None
    phone_number: str | None
    dated: datetime
    memory: Memory
    held_by: int | None


class Alone(NamedTuple):
    """A contact to be added, its claim and its line of the ledger: of a customer of one row."""

    number: int
    claim: int
    """The number of the claim."""
    email: str | None
    phone_number: str | None
    dated: datetime
    primary: int
    brought: Kind
    """What its claim remembers; a secondary brings only that."""


class Line(NamedTuple):
    """A line for the ledger."""

    kind: EventKind
    primary: int
    contact: int | None
    """The contact made, or the primary absorbed."""
    email: str | None
    phone_number: str | None


@dataclass(slots=True)
class Decided:
    """What is to be written. Contacts and claims not yet in the database are numbers from `NEW`."""

    contacts: list[NewContact] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)
    """Those that are customers by themselves, where the caller asked for them by themselves. They
    are not among the contacts, identifiers, claims and lines."""
    identifiers: list[tuple[Value, int]] = field(default_factory=list)
    """Each new identifier and the contact that brings it."""
    claims: list[NewClaim] = field(default_factory=list)
    references: list[tuple[int, str, str]] = field(default_factory=list)
    """A claim, a reference and a name that it carries."""
    redated: list[tuple[int, Content, datetime]] = field(default_factory=list)
    """Known contacts that are older than was known, and what they say."""
    redated_claims: list[tuple[int, datetime]] = field(default_factory=list)
    absorbed: list[tuple[int, int]] = field(default_factory=list)
    """Each primary that ceases to be one, and the one that takes its place."""
    joins: list[tuple[int, Call]] = field(default_factory=list)
    """Each customer known before that became part of another, and the call that joined the two."""
    lines: list[Line] = field(default_factory=list)
    """What is told in the ledger."""
    news: set[int] = field(default_factory=set)
    """The lines of the file that brought something new; so are the others below."""
    held: set[int] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)
    """Of which nothing is left, because it links nobody; so one of its calls may have been."""
    told: set[int] = field(default_factory=set)
    """Of which something is left."""
    sifted: dict[int, list[Call]] = field(default_factory=dict)
    """Of each line that brought what was erased: what was left of it, and told."""
    links: int = 0
    """Pairs that nobody had told before."""
    ages: Callable[[], dict[int, Age]] = dict
    """Returns of each cluster concerned, by each of its names, the age of its primary: for whoever
    goes on from here, and writes nothing."""
    first: int = NEW
    next: int = NEW
    """The numbers of the new contacts begin and end here."""
    first_claim: int = NEW
    """Those of the new claims begin here."""

    @property
    def changes_nothing(self) -> bool:
        """Tell whether there is nothing to write."""
        told = self.claims or self.references or self.redated_claims
        made = self.contacts or self.alone
        return not (told or made or self.redated or self.absorbed)
