"""Customers as they were and as they are: how they differ, and how the ledger tells it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from identity.clusters import Cluster
from identity.identifiers import Value

IdOf = Callable[[int], int | None]
"""Returns the id of a contact that had only a number."""


class Became(StrEnum):
    """What became of customers."""

    CREATED = "created"
    GROWN = "grown"
    """There is more of it: a contact, or something that one says."""
    MERGED = "merged"
    TAKEN_APART = "taken_apart"
    """There is less of it, or it is several now, or none."""
    PRIMARY_CHANGED = "primary_changed"
    """It is known by another contact."""
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Regrouped:
    """Customers before and after that share an identifier or a contact."""

    before: tuple[Cluster, ...]
    after: tuple[Cluster, ...]

    def became(self) -> Became:
        """Return what became of those before."""
        if not self.before:
            return Became.CREATED
        if len(self.after) != 1:
            return Became.TAKEN_APART
        if len(self.before) > 1:
            return Became.MERGED
        [before], [after] = self.before, self.after
        if before.primary_id != after.primary_id:
            return Became.PRIMARY_CHANGED
        return Became.TAKEN_APART if {*_keys(before)} - {*_keys(after)} else Became.GROWN

    def moved(self, id_of: IdOf) -> list[list[int | None]]:
        """Return each contact that has another customer now: its id, and whose it was and is."""
        was = {m.id: each.primary_id for each in self.before for m in each.members}
        is_now = {m.id: each.primary_id for each in self.after for m in each.members}
        return [
            [id_of(contact), was.get(contact), to if to is None else id_of(to)]
            for contact in sorted({*was, *is_now})
            if (to := is_now.get(contact)) != was.get(contact)
        ]

    def formers(self) -> Iterator[tuple[Cluster, list[int]]]:
        """Yield each customer after, with the primaries of those it comes from."""
        by_contact = {m.id: each.primary_id for each in self.before for m in each.members}
        by_value: dict[Value, int] = {}
        for each in self.after:
            formers = {by_contact[m.id] for m in each.members if m.id in by_contact}
            if not formers:
                # Made of contacts that are new: known by what they say.
                by_value = by_value or {v: c.primary_id for c in self.before for v in c.values()}
                formers = {by_value[v] for v in each.values() if v in by_value}
            yield each, sorted(formers)


def _keys(cluster: Cluster) -> Iterable[Any]:
    yield from (member.id for member in cluster.members)
    yield from cluster.values()


def changes(before: Iterable[Cluster], after: Iterable[Cluster]) -> list[Regrouped]:
    """Return how customers differ, leaving out those who are the same on both sides."""
    # All of that library comes with it, and whoever compares nobody needs none of it.
    from networkx.utils import UnionFind

    sides = [{_shape(each): each for each in side} for side in (before, after)]
    same = sides[0].keys() & sides[1].keys()
    differing = [(0, shape) for shape in sorted(sides[0].keys() - same)]
    differing += [(1, shape) for shape in sorted(sides[1].keys() - same)]
    groups, first = UnionFind(range(len(differing))), dict[Any, int]()
    for number, (side, shape) in enumerate(differing):
        for key in _keys(sides[side][shape]):
            if first.setdefault(key, number) != number:
                groups.union(first[key], number)
    found: dict[int, tuple[list[Cluster], list[Cluster]]] = {}
    for number, (side, shape) in enumerate(differing):
        found.setdefault(groups[number], ([], []))[side].append(sides[side][shape])
    return [Regrouped(tuple(one), tuple(other)) for one, other in found.values()]


def _shape(cluster: Cluster) -> tuple[Any, ...]:
    """Return all that is published of a customer, in the order in which plans list them."""
    secondaries = tuple(cluster.secondary_ids)
    return cluster.primary_id, secondaries, cluster.emails, cluster.phone_numbers


def lines(
    found: Iterable[Regrouped], id_of: Callable[[int], int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield a line of the ledger for each customer that changed: its primary, and what is told.

    Of customers that changed together one line tells all, and the others name its customer.
    """
    for change in found:
        first = _first(change)
        whole = {
            "kind": change.became().value,
            "before": sorted(each.primary_id for each in change.before),
            "after": sorted(id_of(each.primary_id) for each in change.after),
            "moved": change.moved(id_of),
        }
        for primary, detail in _of_each(change):
            told = {"change": whole} if primary == first else {"with": id_of(first)}
            yield id_of(primary), detail | told


def _first(change: Regrouped) -> int:
    """Return the primary of the customer of whom the change is told."""
    former = {each.primary_id for each in change.before}
    after = [each.primary_id for each in change.after]
    return min(former.intersection(after) or after or former)


def _of_each(change: Regrouped) -> Iterator[tuple[int, dict[str, Any]]]:
    named: set[int] = set()
    for after, formers in change.formers():
        named.update(formers)
        yield after.primary_id, {"before": formers}
    for before in change.before:
        if before.primary_id not in named:
            yield before.primary_id, {"before": [before.primary_id], "after": []}
