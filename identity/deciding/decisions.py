"""The function, some calls further: what they bring to what is known."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from identity.deciding.customers import Customers, Made, Told
from identity.deciding.decided import Decided, Line, NewClaim, NewContact
from identity.deciding.given import NEW, Call, Known, Ruled
from identity.deciding.lonely import Founding, lonely
from identity.models import EventKind


def decide(
    calls: Sequence[Call],
    known: Known,
    ruled: Ruled,
    now: datetime,
    *,
    first: int = NEW,
    first_claim: int = NEW,
    alone: bool = False,
) -> Decided:
    """Return what the calls of one source bring to what is known.

    New contacts are numbered from `first`, new claims from `first_claim`. Whoever asks for those
    that are `alone` by themselves has them so.
    """
    decided = Decided(first=first, first_claim=first_claim)
    apart = lonely(calls, known, ruled) if alone else [False] * len(calls)
    return _Decision(known, ruled, now, decided).of(calls, apart)


class _Decision:
    """Calls, decided upon what is known."""

    def __init__(self, known: Known, ruled: Ruled, now: datetime, decided: Decided) -> None:
        self._known = known
        self._now = now
        self._customers = Customers(ruled, known, decided.first)
        self._claims = dict(known.claims)
        self._pairs = set(known.pairs)
        self._added: dict[int, NewClaim] = {}
        self._redated: dict[int, datetime] = {}
        self._references = set(known.references)
        self._made: list[Made] = []
        self._merges: list[tuple[int, Call]] = []
        self._seen: list[tuple[EventKind, Call]] = []
        # The oldest of those who were primaries before, by the name that stands for a cluster.
        self._formers = dict(known.oldest)
        self._decided = decided

    def of(self, calls: Sequence[Call], alone: Sequence[bool]) -> Decided:
        """Take all calls and return what they bring; `alone` tells which concern nobody else."""
        founding = Founding(self._decided, self._customers, self._now)
        for call, is_alone in zip(calls, alone, strict=True):
            if is_alone:
                founding.take(call, len(self._added))
                continue
            claim = self._repeat(call) if call[:2] in self._claims else self._tell(call)
            if claim is None or not (call.reference or call.name):
                continue
            reference = (claim, call.reference, call.name)
            if reference not in self._references:
                self._references.add(reference)
                self._decided.references.append(reference)
        return self._result()

    def _repeat(self, call: Call) -> int:
        """Take what the source has said before; return the number of the claim."""
        claim, before = self._claims[call.content]
        self._decided.told.add(call.line)
        dated = min(call.dated or before, before)
        # Nothing new can come of it, unless the tables hold less than the evidence says.
        told = self._customers.tell(call.email, call.phone_number, dated, self._now)
        if told:
            self._note(call, told)
        if dated < before:
            self._claims[call.content] = claim, dated
            if claim in self._added:
                self._added[claim] = self._added[claim]._replace(dated=dated)
            else:
                self._redated[claim] = dated
        return claim

    def _tell(self, call: Call) -> int | None:
        """Take what the source had not said yet; return the number of the claim."""
        told = self._customers.tell(call.email, call.phone_number, call.dated, self._now)
        if told is None:
            self._decided.empty.add(call.line)
            return None
        content = call[:2]
        number = self._decided.first_claim + len(self._added) + len(self._decided.alone)
        self._added[number] = NewClaim(number, *content, told.dated, told.memory, told.held_by)
        self._claims[content] = number, told.dated
        self._decided.told.add(call.line)
        if told.held_by is not None:
            self._decided.held.add(call.line)
        self._note(call, told)
        return number

    def _note(self, call: Call, told: Told) -> None:
        """Note what came of a call, for the ledger and for the account of an import."""
        self._made += told.made
        merged = told.joined is not None and self._merged(told.joined, call)
        content = call[:2]
        if None not in content and content not in self._pairs:
            self._pairs.add(content)
            self._decided.links += 1
            self._decided.news.add(call.line)
            if not told.made and not merged:
                self._seen.append((EventKind.HELD if told.held_by else EventKind.LINK_SEEN, call))
        elif told.made or told.joined:
            self._decided.news.add(call.line)

    def _merged(self, roots: tuple[int, int], call: Call) -> bool:
        """Tell whether two customers known before became one, and note which."""
        known = [self._formers[each] for each in roots if each in self._formers]
        if known:
            self._formers[self._customers.root(roots[0])] = min(known)
        if len(known) < 2:
            return False
        self._merges.append((max(known)[1], call))
        return True

    def _result(self) -> Decided:
        customers, decided = self._customers, self._decided
        dates = dict(customers.dates.values())
        decided.claims = list(self._added.values())
        decided.redated_claims = list(self._redated.items())
        decided.identifiers = customers.identifiers
        decided.contacts = [
            NewContact(number, email, phone, dates[number], customers.primary(cluster))
            for number, email, phone, cluster in self._made
        ]
        decided.redated = [
            (number, content, dates[number])
            for number, content in customers.redated.items()
            if number < decided.first
        ]
        changes = [*self._merge_lines(), *self._overtaken()]
        decided.absorbed = [(line.contact, line.primary) for line in changes if line.contact]
        decided.joins = self._merges
        decided.lines = [*self._contact_lines(), *changes, *self._seen_lines()]
        decided.ages = customers.ages(self._known.oldest, self._made)
        decided.next = customers.next
        return decided

    def _contact_lines(self) -> Iterable[Line]:
        for (number, email, phone_number, _, primary), made in zip(
            self._decided.contacts, self._made, strict=True
        ):
            is_first = number == primary and self._customers.root(made.cluster) not in self._formers
            kind = EventKind.CONTACT_CREATED if is_first else EventKind.CONTACT_LINKED
            yield Line(kind, primary, number, email, phone_number)

    def _merge_lines(self) -> Iterable[Line]:
        for former, call in self._merges:
            primary = self._customers.primary(former)
            if former == primary:
                # It was the younger one, until a later row dated it.
                former = self._formers[self._customers.root(former)][1]
            yield Line(EventKind.CLUSTERS_MERGED, primary, former, *call.content)

    def _overtaken(self) -> Iterable[Line]:
        """Yield each customer known before whose primary is another contact now, an older one."""
        merged = {former for former, _ in self._merges}
        overtaken: dict[int, int] = {}
        for root in self._known_roots():
            primary, former = self._customers.primary(root), self._formers[root][1]
            if primary != former and primary not in merged:
                overtaken[primary] = former
        if overtaken:
            for content, (number, _) in self._customers.dates.items():
                if number in overtaken:
                    yield Line(EventKind.PRIMARY_CHANGED, number, overtaken[number], *content)

    def _known_roots(self) -> set[int]:
        return {self._customers.root(name) for name in self._known.oldest}

    def _seen_lines(self) -> Iterable[Line]:
        for kind, call in self._seen:
            holders = [self._customers.holder(value) for value in call.values()]
            # With one of them linking nobody, nothing is linked.
            if (cluster := holders[0]) is not None and None not in holders:
                yield Line(kind, self._customers.primary(cluster), None, *call.content)
