"""What has been met of a customer, by which the rest is found that is about them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from identity.clusters import Member
from identity.events import Entry
from identity.identifiers import Identifiers, Value
from identity.models import EventKind
from identity.recording import Line, Told
from identity.rulings.register import Registered


@dataclass(frozen=True, slots=True)
class Origin:
    """Who told an identifier first among those of one source, and when."""

    source: str
    told_at: datetime
    import_id: int | None


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """An identifier of a customer, and where it came from."""

    value: Value
    contact_id: int
    since: datetime
    origins: tuple[Origin, ...]
    """Of each source the first telling, the oldest first."""


@dataclass(slots=True)
class Collected:
    """What was met so far."""

    ids: set[int] = field(default_factory=set)
    """Of the contacts, of those that ceased too."""
    values: set[Value] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    """Emails and phone numbers that were told together."""
    imports: set[int] = field(default_factory=set)
    rulings: set[int] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)
    """Of the ledger."""
    erasures: set[int] = field(default_factory=set)
    first: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When something was told of them first."""
    _contacts: dict[Value, Member] = field(default_factory=dict)
    _origins: dict[Value, dict[str, Origin]] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Note something that is on record."""
        match line:
            case Member():
                self.ids.add(line.id)
                for value in Identifiers(line.email, line.phone_number).values():
                    self._contacts.setdefault(value, line)
                    self.values.add(value)
            case Told():
                self._add_told(line)
            case Registered():
                self.rulings.add(line.id)
            case Entry():
                self.lines.add(line.id)
                if line.kind is EventKind.CUSTOMER_ERASED and line.detail:
                    self.erasures.add(line.detail["erasure"])

    def _add_told(self, told: Told) -> None:
        claim = told.claim
        self.first = min(self.first, claim.told_at)
        # What is held tells of another customer too, and their contacts are not this one's.
        if claim.stands and claim.held_by is None and claim.memory.contact is not None:
            self.ids.add(claim.memory.contact)
        by = claim.import_id, *(import_id for _, _, import_id in told.references)
        self.imports.update(import_id for import_id in by if import_id is not None)
        if claim.email and claim.phone_number:
            self.pairs.add((claim.email, claim.phone_number))
        origin = Origin(claim.source, claim.told_at, claim.import_id)
        for value in claim.values():
            self.values.add(value)
            of_value = self._origins.setdefault(value, {})
            before = of_value.get(claim.source, origin)
            of_value[claim.source] = min(before, origin, key=lambda each: each.told_at)

    def known(self) -> Iterator[Known]:
        """Yield the identifiers, those of the oldest contact first."""
        for value, member in self._contacts.items():
            told = self._origins.get(value, {}).values()
            origins = tuple(sorted(told, key=lambda each: each.told_at))
            yield Known(value, member.id, member.created_at, origins)
