"""The function: customers that follow from what is told, claim after claim."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from identity.deciding.given import NEW, NOTHING, Age, Content, Known, Memory, Ruled
from identity.identifiers import Kind, Value, email_value, phone_value

INSTANT = timedelta(microseconds=1)


class Made(NamedTuple):
    """A contact, and the cluster it was made in."""

    number: int
    email: str | None
    phone_number: str | None
    cluster: int


class Told(NamedTuple):
    """What came of telling one claim."""

    memory: Memory
    made: tuple[Made, ...]
    held_by: int | None
    """The ruling because of which it was told as two."""
    joined: tuple[int, int] | None
    """The clusters that it made one."""
    dated: datetime


class Customers:
    """The customers that follow from what is told, claim after claim."""

    def __init__(self, ruled: Ruled, known: Known | None = None, first: int = NEW) -> None:
        """Begin with what is known; contacts that nobody remembers are numbered from `first`."""
        known = known or Known()
        self._ruled = ruled
        self._next = first
        # A cluster is named by its primary, or by the new contact that founded it.
        self._heirs: dict[int, int] = {}
        """Of each cluster that became part of another: that one, or one that is part of it."""
        self._holders = dict(known.holders)
        self._oldest = dict(known.oldest)
        self._concerned = {cluster: set(values) for cluster, values in known.concerned.items()}
        self.dates = dict(known.contents)
        """The contacts by what they say: number, and when created."""
        self.redated: dict[int, Content] = {}
        """The contacts that became older, and what they say."""
        self.identifiers: list[tuple[Value, int]] = []
        """Each new identifier and the contact that brings it."""

    def tell(
        self,
        email: str | None,
        phone_number: str | None,
        dated: datetime | None,
        now: datetime,
        memory: Memory = NOTHING,
    ) -> Told | None:
        """Take one claim; None when nothing of it counts. Without a date it is of now."""
        nobody = self._ruled.nobody
        one = None if email is None else email_value(email)
        other = None if phone_number is None else phone_value(phone_number)
        if nobody:
            one = None if one in nobody else one
            other = None if other in nobody else other
        if one is None and other is None:
            return None
        if dated is None:
            dated = self._moment(now, one, other)
        held_by = self.kept_apart(one, other) if one and other else None
        if held_by is None:
            memory, made, joined = self._take(one, other, dated, memory, as_two=False)
            return Told(memory, made, None, joined, dated)
        memory, of_email, _ = self._take(one, None, dated, memory, as_two=True)
        memory, of_phone, _ = self._take(None, other, dated, memory, as_two=True)
        return Told(memory, of_email + of_phone, held_by, None, dated)

    def root(self, cluster: int) -> int:
        """Return the name that stands for a cluster and all that were joined with it."""
        heirs = self._heirs
        while cluster in heirs:
            heir = heirs[cluster]
            if heir in heirs:
                # So that the way is half as long for whoever asks next.
                heirs[cluster] = heirs[heir]
            cluster = heir
        return cluster

    def age(self, cluster: int) -> Age:
        """Return the age of a cluster's oldest contact, its primary."""
        return self._oldest[self.root(cluster)]

    def ages(self, known: Iterable[int], made: Iterable[Made]) -> Callable[[], dict[int, Age]]:
        """Return what returns the age of each cluster concerned, by each of its names."""
        # Known to nobody but who asks: what is decided must not keep itself alive, for a file is
        # decided with the collector at rest.
        return lambda: {name: self.age(name) for name in {*known, *(each.cluster for each in made)}}

    def primary(self, cluster: int) -> int:
        """Return the number of a cluster's primary."""
        return self._oldest[self.root(cluster)][1]

    def holder(self, value: Value) -> int | None:
        """Return a name of the cluster that has a value."""
        return self._holders.get(value)

    @property
    def next(self) -> int:
        """The number of the next new contact."""
        return self._next

    def _moment(self, now: datetime, *values: Value | None) -> datetime:
        # A clock that is behind must not make a secondary older than its primary.
        for value in values:
            cluster = self._holders.get(value) if value else None
            if cluster is not None and (oldest := self.age(cluster)[0]) > now:
                now = oldest + INSTANT
        return now

    def kept_apart(self, one: Value, other: Value) -> int | None:
        """Return the first ruling against one customer of both values and all they are with."""
        if not self._ruled.apart:
            return None
        here, there = self._holders.get(one), self._holders.get(other)
        if here is not None and there is not None and self.root(here) == self.root(there):
            return None
        ours, theirs = self._side(one, here), self._side(other, there)
        apart = self._ruled.apart
        rulings = (apart[value][each] for value in ours for each in apart[value] if each in theirs)
        return min(rulings, default=None)

    def _side(self, value: Value, cluster: int | None) -> set[Value]:
        side = self._concerned.get(self.root(cluster), set()) if cluster is not None else set()
        return side | {value} if value in self._ruled.apart else side

    def _take(
        self,
        one: Value | None,
        other: Value | None,
        dated: datetime,
        memory: Memory,
        *,
        as_two: bool,
    ) -> tuple[Memory, tuple[Made, ...], tuple[int, int] | None]:
        """Take what is told together: an email, a phone number, or both."""
        holders = self._holders
        content = one and one.text, other and other.text
        here = None if one is None else holders.get(one)
        there = None if other is None else holders.get(other)
        new = [
            value
            for value, holder in ((one, here), (other, there))
            if value is not None and holder is None
        ]
        if new:
            memory, number = self._number(memory, new[0].kind, as_two=as_two)
            known = there if here is None else here
            made = self._add(number, content, dated, new, number if known is None else known)
            return memory, (made,), None
        joined = None if here is None or there is None else self._join(here, there)
        self._date(content, dated)
        return memory, (), joined

    def _number(self, memory: Memory, brings: Kind, *, as_two: bool) -> tuple[Memory, int]:
        """Return the number of the contact that a claim makes, and what it remembers then."""
        if memory.contact is None:
            memory = Memory(self.fresh(), brings, memory.other)
        elif as_two and memory.brought is not brings:
            if memory.other is None:
                memory = memory._replace(other=self.fresh())
            assert memory.other is not None
            return memory, memory.other
        assert memory.contact is not None
        return memory, memory.contact

    def fresh(self) -> int:
        """Return the number of another new contact."""
        self._next += 1
        return self._next - 1

    def _add(
        self,
        number: int,
        content: Content,
        dated: datetime,
        new: Sequence[Value],
        cluster: int,
    ) -> Made:
        root, age = self.root(cluster), (dated, number)
        self._oldest[root] = min(self._oldest.get(root, age), age)
        self.dates[content] = number, dated
        for value in new:
            self._holders[value] = cluster
            self.identifiers.append((value, number))
            if value in self._ruled.apart:
                self._concerned.setdefault(root, set()).add(value)
        return Made(number, *content, cluster)

    def _join(self, one: int, other: int) -> tuple[int, int] | None:
        roots = self.root(one), self.root(other)
        if roots[0] == roots[1]:
            return None
        # The younger one becomes part of the older one, which has told more and will be asked for.
        root, other_root = sorted(roots, key=self._oldest.__getitem__)
        self._heirs[other_root] = root
        self._oldest[root] = min(self._oldest[each] for each in roots)
        concerned = [self._concerned.pop(each) for each in roots if each in self._concerned]
        if concerned:
            self._concerned[root] = set().union(*concerned)
        return roots

    def _date(self, content: Content, dated: datetime) -> None:
        """Let the contact that says exactly this be as old as its oldest telling."""
        number, created_at = self.dates.get(content, (None, dated))
        if number is None or dated >= created_at:
            return
        self.dates[content] = number, dated
        self.redated[number] = content
        email, phone_number = content
        value = email_value(email) if email else phone_value(phone_number or "")
        root = self.root(self._holders[value])
        self._oldest[root] = min(self._oldest[root], (dated, number))
