"""The account of an import: what it brought, or would bring."""

from collections import Counter
from dataclasses import dataclass, field

from identity.importing.deciding import Decided

SHOWN = 100
"""Rejected rows that are kept for showing; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be used."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Union:
    """Customers known before the import who are one customer by it."""

    members: tuple[int, ...]
    """Their primaries before."""
    primary: int | None
    """Who of them stands for all; None when it is an older contact of the file."""


@dataclass(slots=True)
class Account:
    """What is counted while a file is read. The same for a rehearsal and for the import."""

    newest: int
    """The highest contact id before the import: whoever has a higher one came with it."""
    rows: int = 0
    news: int = 0
    """Rows that bring something new."""
    rejected: int = 0
    contacts: int = 0
    """Contacts added."""
    links: int = 0
    rejects: list[Reject] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    _founded: int = 0
    """Contacts that were primaries when they were added."""
    _successors: dict[int, int] = field(default_factory=dict)
    """Each primary that ceased to be one, and who took its place."""

    def reject(self, line: int, reason: str) -> None:
        """Count a row that cannot be used."""
        self.rejected += 1
        self.reasons[reason] += 1
        if len(self.rejects) < SHOWN:
            self.rejects.append(Reject(line, reason))

    def add(self, decided: Decided) -> None:
        """Count what a batch brought."""
        self.contacts += len(decided.contacts)
        self.links += len(decided.links)
        self._founded += sum(contact.number == contact.primary for contact in decided.contacts)
        self._successors.update(decided.absorbed)

    @property
    def repeats(self) -> int:
        """How many rows bring nothing new."""
        return self.rows - self.news - self.rejected

    def counts(self) -> dict[str, int]:
        """Return all figures by name."""
        names = ("rows", "customers", "contacts", "links", "merged", "overtaken", "repeats")
        return {name: getattr(self, name) for name in (*names, "rejected")}

    def unions(self) -> list[Union]:
        """Return the groups of known customers that are one customer now."""
        unions = []
        for end, formers in self._formers().items():
            if end <= self.newest:
                unions.append(Union(tuple(sorted([end, *formers])), end))
            elif len(formers) > 1:
                unions.append(Union(tuple(sorted(formers)), None))
        return unions

    @property
    def customers(self) -> int:
        """How many customers there are who were not there before."""
        own = sum(former > self.newest for former in self._successors)
        return self._founded - own - self.overtaken

    @property
    def merged(self) -> int:
        """How many customers known before ceased to be customers of their own."""
        return sum(len(union.members) - 1 for union in self.unions())

    @property
    def overtaken(self) -> int:
        """How many customers known before have an older contact of the file as their primary."""
        return sum(end > self.newest for end in self._formers())

    def _formers(self) -> dict[int, list[int]]:
        """Return the known customers who lost their place, by who stands for them in the end."""
        formers: dict[int, list[int]] = {}
        for former in self._successors:
            if former <= self.newest:
                formers.setdefault(self._end(former), []).append(former)
        return formers

    def _end(self, contact_id: int) -> int:
        while contact_id in self._successors:
            contact_id = self._successors[contact_id]
        return contact_id
