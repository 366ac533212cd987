"""What follows from claims and rows that are connected, and from nothing else.

Nothing is decided here: `decide` takes the rows of each import in their order, as if it had come
to a database that holds the claims of all imports before, and `follow` says which customers
there are then. Both are asked once more for each import, so what is pooled should have them alike.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from identity.deciding import NEW, Call, Content, Decided, Known, Line, NewClaim, Ruled, decide
from identity.evidence import Telling
from identity.identifiers import Kind, Value
from identity.importing.tally import Tally
from identity.models import EventKind
from identity.rebuilding import Rebuilt, follow
from loaders.numbering import Counted, Key, Rank

MERGING = EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED
RANKS = {
    EventKind.CONTACT_CREATED: Rank.CONTACTS,
    EventKind.CONTACT_LINKED: Rank.CONTACTS,
    EventKind.CLUSTERS_MERGED: Rank.MERGES,
    EventKind.PRIMARY_CHANGED: Rank.OVERTAKEN,
    EventKind.LINK_SEEN: Rank.SEEN,
    EventKind.HELD: Rank.SEEN,
}
"""In which order the ledger tells what one batch brought."""
ADDED = "customers", "contacts", "links", "claims", "merged", "overtaken"
"""Figures of an import that are the sums of those of its parts."""


class Brought(NamedTuple):
    """An import: who tells its rows, and since when."""

    id: int
    source: str
    now: datetime


class Place(NamedTuple):
    """Where something was told first: which import, line of its file and call of that line."""

    file: int
    line: int
    call: int


COPY = -1
"""Instead of an import: what a copy has, whose claims are before all rows."""


@dataclass(slots=True)
class Pool:
    """What is connected: the claims that a copy has, and calls of imports."""

    claims: list[Telling] = field(default_factory=list)
    references: set[tuple[int, str, str]] = field(default_factory=set)
    """Those that the claims carry already."""
    calls: dict[int, list[tuple[Place, Call]]] = field(default_factory=dict)
    """Of each import, in their order."""


class Told(NamedTuple):
    """A line of the ledger."""

    key: Key
    file: int
    line: Line
    moved: tuple[int, ...]
    """The contacts that changed their primary."""


@dataclass(slots=True)
class Followed:
    """What follows. Contacts and claims that have no id yet are numbers from `NEW`."""

    rebuilt: Rebuilt
    claims: list[Telling]
    references: list[tuple[int, str, str, int]] = field(default_factory=list)
    """A claim, the reference and the name that it carries, and the import that brought it."""
    lines: list[Told] = field(default_factory=list)
    contact_keys: dict[int, Key] = field(default_factory=dict)
    """What numbers each new contact; so it is with the new claims."""
    claim_keys: dict[int, Key] = field(default_factory=dict)
    counts: dict[int, Counter[str]] = field(default_factory=dict)
    """What each import brought."""
    empty: list[tuple[int, int]] = field(default_factory=list)
    """The import and line of each row of which nothing is left."""

    def all_keys(self) -> list[Key]:
        """Return the key of everything that is to be numbered, in the order of the numbers."""
        lines = (told.key for told in self.lines)
        return sorted([*self.contact_keys.values(), *self.claim_keys.values(), *lines])


def followed(pool: Pool, ruled: Ruled, imports: Mapping[int, Brought]) -> Followed:
    """Return what follows from a pool when its imports come one after another."""
    return _Following(pool, ruled).through(imports)


class _Following:
    """Goes from import to import."""

    def __init__(self, pool: Pool, ruled: Ruled) -> None:
        self._pool, self._ruled = pool, ruled
        self._claims = {claim.id: claim for claim in pool.claims}
        self._references = set(pool.references)
        self._result = Followed(follow((), ruled), [])
        self._next = NEW
        self._follow()

    def through(self, imports: Mapping[int, Brought]) -> Followed:
        """Take all imports in their order."""
        for file in sorted(self._pool.calls):
            self._take(file, imports[file])
        self._result.claims = list(self._claims.values())
        return self._result

    def _follow(self) -> None:
        """Let follow what was told so far. Each claim remembers the contact that it makes."""
        self._result.rebuilt = rebuilt = follow(self._claims.values(), self._ruled)
        if rebuilt.made:
            self._next += rebuilt.made
            for id_, (memory, held_by) in rebuilt.claims.items():
                self._claims[id_] = self._claims[id_]._replace(memory=memory, held_by=held_by)
            self._number_contacts(Place(COPY, claim.id, 0) for claim in self._claims.values())

    def _take(self, file: int, brought: Brought) -> None:
        told = self._pool.calls[file]
        calls = [call for _, call in told]
        before = self._result.rebuilt
        known = self._known(brought.source, {call.content for call in calls})
        first, first_claim = self._next, NEW + len(self._result.claim_keys)
        decided = decide(
            calls, known, self._ruled, brought.now, first=first, first_claim=first_claim
        )
        places: dict[Content, Place] = {}
        for place, call in told:
            places.setdefault(call.content, place)
        self._add_claims(decided, brought, places)
        self._next = decided.next
        self._follow()
        self._references.update(decided.references)
        self._result.references += ((*each, brought.id) for each in decided.references)
        self._result.lines += _lines(decided, file, places, before, self._result.contact_keys)
        self._result.counts[file] = _counts(decided, first)
        left = decided.empty - decided.told
        self._result.empty += ((file, line) for line in sorted(left))

    def _add_claims(
        self, decided: Decided, brought: Brought, places: Mapping[Content, Place]
    ) -> None:
        for id_, dated in decided.redated_claims:
            self._claims[id_] = self._claims[id_]._replace(dated_at=dated)
        for claim in decided.claims:
            self._claims[claim.number] = _telling(claim, brought)
            place = places[claim.email, claim.phone_number]
            self._result.claim_keys[claim.number] = Key.of_claim(*place)
            for which, number in enumerate((claim.memory.contact, claim.memory.other)):
                if number is not None:
                    key = Key.of_contact(*place, which)
                    self._result.contact_keys.setdefault(number, key)

    def _number_contacts(self, places: Iterable[Place]) -> None:
        for place in places:
            memory = self._claims[place.line].memory
            for which, number in enumerate((memory.contact, memory.other)):
                if number is not None and number >= NEW:
                    self._result.contact_keys[number] = Key.of_contact(*place, which)

    def _known(self, source: str, contents: set[Content]) -> Known:
        """Return what a database would know before an import of that source."""
        known = Known(references=self._references)
        for number, contact in self._result.rebuilt.contacts.items():
            known.contents[contact.email, contact.phone_number] = number, contact.created_at
            if contact.primary == number:
                known.oldest[number] = contact.created_at, number
        for value, holder in self._result.rebuilt.holders.items():
            if holder is not None:
                primary = self._result.rebuilt.contacts[holder].primary
                known.holders[value] = primary
                if value in self._ruled.apart:
                    known.concerned.setdefault(primary, set()).add(value)
        for claim in self._claims.values():
            if claim.source == source:
                known.claims[claim.content] = claim.id, claim.dated_at
            if None not in claim.content and claim.content in contents:
                known.pairs.add(claim.content)
                if claim.held_by is not None:
                    known.held.add(claim.content)
        return known


def _telling(claim: NewClaim, brought: Brought) -> Telling:
    number, email, phone_number, dated, memory, held_by = claim
    return Telling(
        *(number, email, phone_number, brought.source, brought.now, dated, brought.id),
        *(memory, held_by, True, False),
    )


def _lines(
    decided: Decided,
    file: int,
    places: Mapping[Content, Place],
    before: Rebuilt,
    contacts: Mapping[int, Key],
) -> Iterable[Told]:
    followers: dict[int, list[int]] = {}
    if decided.absorbed:
        for number, contact in before.contacts.items():
            followers.setdefault(contact.primary, []).append(number)
    for line in decided.lines:
        rank, moved = RANKS[line.kind], tuple[int, ...]()
        if line.kind in MERGING:
            assert line.contact is not None
            moved = tuple(followers[line.contact])
        if rank is Rank.CONTACTS:
            assert line.contact is not None
            key = contacts[line.contact]._replace(file=file, rank=rank)
        elif rank is Rank.OVERTAKEN:
            # The contact that stands for the customer now may be of an earlier import.
            key = Key(Counted.PLACES, file, rank, line.primary, 0)
        else:
            key = Key(Counted.PLACES, file, rank, *places[line.email, line.phone_number][1:])
        yield Told(key._replace(counted=Counted.PLACES), file, line, moved)


def _counts(decided: Decided, first: int) -> Counter[str]:
    tally = Tally(first - 1)
    tally.add(decided)
    counts = Counter({name: getattr(tally, name) for name in ADDED})
    return counts + Counter(news=len(decided.news), held=len(decided.held))


def values_of(content: Content) -> Sequence[Value]:
    """Return what was told, the email first."""
    email, phone_number = content
    given = (Kind.EMAIL, email), (Kind.PHONE, phone_number)
    return [Value(kind, text) for kind, text in given if text is not None]
