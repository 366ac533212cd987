"""The tally of an import: what it brought, or would bring."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from identity.deciding import Call, Decided
from identity.deciding.outline import Brought
from identity.importing.forgetful import Withheld
from identity.importing.rows import Doubt
from identity.models import EventKind

SHOWN = 3
"""Examples of each doubt that are kept for showing; all of them are counted."""
JOINS = 5
"""Rows of each union that are kept for showing why."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something could not be used, and how often."""

    column: str
    """Where it is; "" for whole rows."""
    reason: str
    count: int
    examples: tuple[tuple[int, str], ...]
    """The first ones: the line, and what is there."""


@dataclass(frozen=True, slots=True)
class Union:
    """Customers known before the import who are one customer by it."""

    members: tuple[int, ...]
    """Their primaries before."""
    primary: int | None
    """Who of them stands for all; None when it is another contact, older by the file."""
    joins: tuple[Call, ...]
    """The rows that join them, the first ones."""


@dataclass(slots=True)
class Tally:
    """What is counted while a file is read. The same for a rehearsal and for the import."""

    newest: int
    """The highest contact id before the import: whoever has a higher one came with it."""
    rows: int = 0
    news: int = 0
    """Rows that bring something new."""
    rejected: int = 0
    """Rows of which nothing could be used."""
    doubtful: int = 0
    """Rows of which something could not be used, and the rest was."""
    contacts: int = 0
    """Contacts added."""
    links: int = 0
    """Pairs that nobody had told before."""
    claims: int = 0
    """What the source had not told before."""
    erased: int = 0
    """Rows that bring people who were erased, and are imported without them."""
    left_out: int = 0
    """Those of them of which nothing is left."""
    held: int = 0
    """Rows of which a ruling keeps the email and the phone number apart."""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often something could not be used, by its column and why."""
    examples: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    """Of each of those the first ones: the line, and what is there."""
    empty: set[int] = field(default_factory=set)
    """The lines of which nothing is left, because it links nobody."""
    _kinds: Counter[EventKind] = field(default_factory=Counter)
    """What was told in the ledger."""
    _successors: dict[int, int] = field(default_factory=dict)
    """Each primary that ceased to be one, and who took its place."""
    _joins: list[tuple[int, Call]] = field(default_factory=list)
    """Each customer that became part of another, and the row that joined them."""
    _promoted: set[int] = field(default_factory=set)
    """Contacts that were secondaries before the import, and primaries at some time since."""

    def doubt(self, line: int, doubts: Sequence[Doubt], *, used: bool) -> None:
        """Count a row of which something cannot be used, or nothing."""
        if used:
            self.doubtful += 1
        else:
            self.rejected += 1
        for column, reason, value in doubts:
            self.reasons[column, reason] += 1
            examples = self.examples.setdefault((column, reason), [])
            if len(examples) < SHOWN:
                examples.append((line, value))

    def doubts(self) -> list[Reason]:
        """Return all that could not be used by column and reason, the most frequent first."""
        return [
            Reason(column, reason, count, tuple(self.examples[column, reason]))
            for (column, reason), count in self.reasons.most_common()
        ]

    def add(self, decided: Decided, id_of: Callable[[int], int] = int) -> None:
        """Count what a batch brought. `id_of` knows the ids that were given to new contacts."""
        self.contacts += len(decided.contacts) + len(decided.alone)
        self.links += decided.links
        self.claims += len(decided.claims) + len(decided.alone)
        self._kinds.update(line.kind for line in decided.lines)
        created = sum(each.number == each.primary for each in decided.alone)
        self._kinds[EventKind.CONTACT_CREATED] += created
        self._joins += ((id_of(former), call) for former, call in decided.joins)
        absorbed = {former: id_of(heir) for former, heir in decided.absorbed}
        changed = {line.primary for line in decided.lines if line.kind is EventKind.PRIMARY_CHANGED}
        for heir in changed.intersection(absorbed.values()):
            if heir <= self.newest and heir not in self._successors:
                self._promoted.add(heir)
        self._successors |= absorbed
        for heir in absorbed.values():
            # It may have lost its place before, and was dated older since.
            self._successors.pop(heir, None)

    def bring(self, brought: Brought) -> None:
        """Count what calls bring that concern nobody on record."""
        self.news += brought.news
        self.contacts += brought.contacts
        self.links += brought.links
        self.claims += brought.claims
        self._kinds[EventKind.CONTACT_CREATED] += brought.customers

    @property
    def repeats(self) -> int:
        """How many rows bring nothing new."""
        return self.rows - self.news - self.rejected - self.left_out

    def leave_out(self, withheld: Withheld) -> None:
        """Count what was left out, of all rows so far."""
        self.erased, self.left_out = len(withheld.lines), withheld.whole

    def counts(self) -> dict[str, int]:
        """Return all figures by name."""
        names = ("rows", "customers", "contacts", "links", "claims", "merged", "overtaken")
        more = ("held", "repeats", "doubtful", "rejected")
        counts = {name: getattr(self, name) for name in (*names, *more)}
        # Where nobody was erased, nobody need hear of it.
        return counts | ({"erased": self.erased} if self.erased else {})

    def unions(self) -> list[Union]:
        """Return the groups of known customers that are one customer now."""
        joins = self._joins_by_end()
        return [
            Union(members, primary, tuple(joins.get(end, ())))
            for end, members, primary in self._united()
        ]

    def _united(self) -> Iterator[tuple[int, tuple[int, ...], int | None]]:
        """Yield who stands for each of those groups in the end, its members, and its primary."""
        for end, formers in self._formers().items():
            if self._was_primary(end):
                yield end, tuple(sorted([end, *formers])), end
            elif len(formers) > 1:
                yield end, tuple(sorted(formers)), None

    def _joins_by_end(self) -> dict[int, list[Call]]:
        joins: dict[int, list[Call]] = {}
        for former, call in self._joins:
            kept = joins.setdefault(self._end(former), [])
            if len(kept) < JOINS:
                kept.append(call)
        return joins

    @property
    def customers(self) -> int:
        """How many customers there are who were not there before."""
        joined = self._kinds[EventKind.CLUSTERS_MERGED] - self.merged
        return self._kinds[EventKind.CONTACT_CREATED] - joined

    @property
    def merged(self) -> int:
        """How many customers known before ceased to be customers of their own."""
        return sum(len(members) - 1 for _, members, _ in self._united())

    @property
    def overtaken(self) -> int:
        """How many customers known before have another primary, which is older by the file."""
        return sum(not self._was_primary(end) for end in self._formers())

    def _was_primary(self, contact_id: int) -> bool:
        return contact_id <= self.newest and contact_id not in self._promoted

    def _formers(self) -> dict[int, list[int]]:
        """Return the known customers who lost their place, by who stands for them in the end."""
        formers: dict[int, list[int]] = {}
        for former in self._successors:
            if self._was_primary(former):
                formers.setdefault(self._end(former), []).append(former)
        return formers

    def _end(self, contact_id: int) -> int:
        while contact_id in self._successors:
            contact_id = self._successors[contact_id]
        return contact_id
