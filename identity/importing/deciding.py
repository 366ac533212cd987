"""What a batch of calls brings, decided at once, as identify would have decided one by one.

Who belongs together is a union-find (networkx) over the customers already known and the
contacts that are new. Nothing here reads or writes; what is known is handed in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from networkx.utils import UnionFind

from identity.events import EventKind
from identity.importing.rows import Call

NEW = 1 << 62
"""Where the numbers of new contacts begin until the database gives them ids. Above every id, so
that of two equally old contacts the known one is the older, as if it had been there first."""
INSTANT = timedelta(microseconds=1)


@dataclass(slots=True)
class Known:
    """What is known of the identifiers of a batch."""

    holders: dict[str, int] = field(default_factory=dict)
    """The primary of each identifier that is known. No phone number looks like an email."""
    created_at: dict[int, datetime] = field(default_factory=dict)
    """When each of those primaries was created."""
    pairs: set[tuple[str, str]] = field(default_factory=set)
    """The pairs that were already given together."""

    def settles(self, call: Call) -> bool:
        """Tell whether a call says nothing new."""
        email, phone_number, _, _ = call
        if email is None or phone_number is None:
            return (email or phone_number) in self.holders
        # A pair is on record only when both are one customer's.
        return (email, phone_number) in self.pairs

    def news(self, calls: Sequence[Call]) -> list[Call]:
        """Return the calls that say something new."""
        return [call for call in calls if not self.settles(call)]


class NewContact(NamedTuple):
    """A contact to be added."""

    number: int
    email: str | None
    phone_number: str | None
    created_at: datetime
    primary: int


class Told(NamedTuple):
    """A line for the ledger."""

    kind: EventKind
    primary: int
    contact: int | None
    """The contact made, or the primary absorbed."""
    email: str | None
    phone_number: str | None


@dataclass(slots=True)
class Decided:
    """What is to be written. Contacts not yet in the database are numbers from `NEW` on."""

    contacts: list[NewContact]
    identifiers: list[tuple[str, int]]
    """Each new identifier and the contact that brings it."""
    links: list[tuple[str, str]]
    absorbed: list[tuple[int, int]]
    """Each primary that ceases to be one, and the one that takes its place."""
    told: list[Told]
    created_at: dict[int, datetime]
    """When the primaries concerned were created."""
    lines: set[int]
    """The lines of the file that brought something new."""


def decide(calls: Sequence[Call], known: Known, first: int, now: datetime) -> Decided:
    """Return what `calls` bring to what is known; new contacts are numbered from `first`."""
    return _Decision(known, first, now).of(calls)


class _Decision:
    def __init__(self, known: Known, first: int, now: datetime) -> None:
        self._first = first
        self._now = now
        self._pairs = set(known.pairs)
        # A cluster is named by its primary, or by the new contact that founded it.
        self._clusters = UnionFind(known.created_at)
        self._holders = dict(known.holders)
        # Of each cluster, by the name that stands for it: its oldest contact, and the oldest of
        # those who were primaries before.
        self._oldest = {id_: (moment, id_) for id_, moment in known.created_at.items()}
        self._oldest_known = dict(self._oldest)
        self._contacts: list[tuple[int, Call, datetime, int]] = []
        self._identifiers: list[tuple[str, int]] = []
        self._links: list[tuple[str, str]] = []
        self._merges: list[tuple[int, Call]] = []
        self._seen: list[tuple[int, Call]] = []

    def of(self, calls: Sequence[Call]) -> Decided:
        lines = {call[3] for call in calls if self._brings_news(call)}
        primaries = {cluster: self._oldest[self._clusters[cluster]][1] for cluster in self._oldest}
        contacts = [
            NewContact(number, email, phone_number, created_at, primaries[cluster])
            for number, (email, phone_number, _, _), created_at, cluster in self._contacts
        ]
        merged = [
            Told(EventKind.CLUSTERS_MERGED, primaries[id_], id_, email, phone_number)
            for id_, (email, phone_number, _, _) in self._merges
        ]
        merged += self._overtaken(primaries)
        seen = [
            Told(EventKind.LINK_SEEN, primaries[cluster], None, email, phone_number)
            for cluster, (email, phone_number, _, _) in self._seen
        ]
        return Decided(
            contacts,
            self._identifiers,
            self._links,
            [(each.contact, each.primary) for each in merged if each.contact is not None],
            [*(self._told(contact) for contact in contacts), *merged, *seen],
            {number: moment for moment, number in self._oldest.values()},
            lines,
        )

    def _brings_news(self, call: Call) -> bool:
        email, phone_number, _, _ = call
        by_email = self._holders.get(email) if email else None
        by_phone = self._holders.get(phone_number) if phone_number else None
        if (email and by_email is None) or (phone_number and by_phone is None):
            self._add(call, by_phone if by_email is None else by_email)
        elif by_email is None or by_phone is None or (email, phone_number) in self._pairs:
            return False
        elif not self._join(by_email, by_phone, call):
            self._seen.append((by_email, call))
        if email and phone_number:
            self._pairs.add((email, phone_number))
            self._links.append((email, phone_number))
        return True

    def _add(self, call: Call, cluster: int | None) -> None:
        email, phone_number, dated, _ = call
        number = self._first + len(self._contacts)
        created_at = dated or self._now
        if cluster is None:
            cluster = self._clusters[number]
            self._oldest[cluster] = (created_at, number)
        else:
            root = self._clusters[cluster]
            oldest = self._oldest[root]
            if dated is None and oldest[0] > created_at:
                # A clock that is behind must not make a secondary older than its primary.
                created_at = oldest[0] + INSTANT
            self._oldest[root] = min(oldest, (created_at, number))
        self._contacts.append((number, call, created_at, cluster))
        for value in (email, phone_number):
            if value and value not in self._holders:
                self._holders[value] = cluster
                self._identifiers.append((value, number))

    def _join(self, one: int, other: int, call: Call) -> bool:
        """Make one cluster of two; tell whether two customers known before became one by it."""
        roots = self._clusters[one], self._clusters[other]
        if roots[0] == roots[1]:
            return False
        self._clusters.union(*roots)
        root = self._clusters[one]
        self._oldest[root] = min(self._oldest[each] for each in roots)
        known = [self._oldest_known[each] for each in roots if each in self._oldest_known]
        if known:
            self._oldest_known[root] = min(known)
        if len(known) < 2:
            return False
        self._merges.append((max(known)[1], call))
        return True

    def _overtaken(self, primaries: dict[int, int]) -> Iterator[Told]:
        """Yield each customer known before whose primary is now an older contact of the batch."""
        calls = {number: call for number, call, _, _ in self._contacts}
        for root in {self._clusters[id_] for id_ in self._oldest_known}:
            former, primary = self._oldest_known[root][1], primaries[root]
            if former != primary:
                email, phone_number, _, _ = calls[primary]
                yield Told(EventKind.PRIMARY_CHANGED, primary, former, email, phone_number)

    def _told(self, contact: NewContact) -> Told:
        number, email, phone_number, _, primary = contact
        kind = EventKind.CONTACT_LINKED
        if number == primary:
            root = self._clusters[self._holders[email or phone_number or ""]]
            if root not in self._oldest_known:
                kind = EventKind.CONTACT_CREATED
        return Told(kind, primary, number, email, phone_number)
