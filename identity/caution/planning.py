"""The plan of an import, as it is told: what each choice leads to, and who would become one."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from identity import clusters, database, evidence
from identity.caution.choosing import AT_MOST_APART, Choices
from identity.caution.examining import Examined
from identity.caution.suspects import Suspect
from identity.clusters import Cluster
from identity.comparing import changes
from identity.deciding import Call
from identity.identifiers import Value
from identity.importing.beforehand import Beforehand
from identity.importing.tally import Tally, Union


@dataclass(frozen=True, slots=True)
class Merge:
    """Known customers who would be one customer by a file."""

    union: Union
    customers: tuple[Cluster, ...]
    """Who they are, as they stand; the first ones."""

    @property
    def joins(self) -> tuple[Call, ...]:
        """The rows that join them."""
        return self.union.joins

    @property
    def may_be_left_out(self) -> bool:
        """Tell whether they are few enough to keep each apart from each."""
        return len(self.customers) == len(self.union.members) <= AT_MOST_APART


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do."""

    choices: Choices
    found: Examined
    nobody: tuple[Suspect, ...]
    """The suspects that would link nobody."""
    tally: Tally
    after: Beforehand | None
    """What its rulings would change of known customers, before its first row."""
    otherwise: Tally | None
    """How it would end with no value ruled out; None where none would be."""

    @property
    def split(self) -> tuple[int, int]:
        """How many known customers its rulings would take apart, and into how many."""
        if self.after is None:
            return 0, 0
        found = changes(self.after.before(), self.after.customers())
        apart = [change for change in found if len(change.before) != len(change.after)]
        return sum(len(each.before) for each in apart), sum(len(each.after) for each in apart)

    @property
    def more(self) -> int:
        """How many customers there would be more than now."""
        before, after = self.split
        return self.tally.customers - self.tally.merged + after - before

    @property
    def more_otherwise(self) -> int:
        """The same, with no value ruled out."""
        return self.otherwise.customers - self.otherwise.merged if self.otherwise else self.more

    def merges(self, most: int) -> list[Merge]:
        """Return the first of those who would become one, with what is known of them."""
        unions = self.tally.unions()[:most]
        wanted = {id_ for union in unions for id_ in union.members[: AT_MOST_APART + 1]}
        known = self._customers(wanted)
        return [
            Merge(union, tuple(known[id_] for id_ in union.members if id_ in known))
            for union in unions
        ]

    def _customers(self, ids: Iterable[int]) -> dict[int, Cluster]:
        supposed = {each.primary_id: each for each in self.after.customers()} if self.after else {}
        found = ((id_, supposed.get(id_) or _customer(id_)) for id_ in ids)
        return {id_: cluster for id_, cluster in found if cluster is not None}


def _customer(id_: int) -> Cluster | None:
    return database.read(lambda connection: clusters.with_contact(connection, id_))


def customers_of(values: Collection[Value]) -> list[Cluster]:
    """Return the customers of some values, as they stand."""
    holders = database.read(lambda connection: evidence.holders_of(connection, values))
    found = (_customer(id_) for id_ in holders.values() if id_ is not None)
    return [cluster for cluster in found if cluster is not None]


def identifiers_of(customers: Iterable[Cluster], but: Iterable[Value] = ()) -> tuple[Value, ...]:
    """Return one identifier of each customer, by which it is kept apart from others."""
    nobody = set(but) | database.read(evidence.ruled_nobody)
    chosen = []
    for cluster in customers:
        value = next((each for each in cluster.values() if each not in nobody), None)
        if value is not None:
            chosen.append(value)
    return tuple(chosen)
