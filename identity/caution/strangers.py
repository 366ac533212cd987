"""How many strangers share a value: records that have nothing else in common."""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from identity.caution.names import Words, may_be_one, sound
from identity.fillers import FEW, MANY, NAMELESS
from identity.identifiers import Value

if TYPE_CHECKING:
    from networkx.utils import UnionFind

COMPARED = 60
"""Names that are compared with each other. With more of them a few that are alike do not matter."""


class Record(NamedTuple):
    """What a row, or somebody else who told a value, says beside it."""

    others: tuple[Value, ...]
    reference: str = ""
    name: Words = ()


@dataclass(slots=True)
class Crowd:
    """Everybody who told one value."""

    rows: int = 0
    records: set[Record] = field(default_factory=set)

    def add(self, record: Record) -> None:
        """Count a row."""
        self.rows += 1
        self.records.add(record)

    def others(self) -> set[Value]:
        """Return the identifiers that were told with the value."""
        return {each for record in self.records for each in record.others}

    def names(self) -> set[Words]:
        """Return the names that were told with it."""
        return {record.name for record in self.records if record.name}

    def is_blurred(self) -> bool:
        """Tell whether so many names were told with it that it says little of who is who."""
        return len(_apart(self.names())) >= FEW


def _groups(told: Iterable[Hashable] = ()) -> "UnionFind":
    # All of that library comes with it, and in most files nobody is a stranger.
    from networkx.utils import UnionFind

    return UnionFind(told)


def _apart(told: Collection[Words]) -> list[set[Hashable]]:
    """Return names in groups that may be one person's."""
    by_sound: dict[tuple[str, ...], Words] = {}
    groups = _groups(told)
    for name in told:
        key = tuple(sorted(map(sound, name)))
        groups.union(name, by_sound.setdefault(key, name))
    if len(by_sound) <= COMPARED:
        for one, other in combinations(by_sound.values(), 2):
            if may_be_one(one, other):
                groups.union(one, other)
    return list(groups.to_sets())


@dataclass(frozen=True, slots=True)
class Strangers:
    """How many groups of records share a value, and nothing else."""

    count: int
    named: int
    """Those of them that have a name, each another."""


def count(
    crowd: Crowd,
    blurred: Collection[Value] = (),
    together: Iterable[Collection[Value]] = (),
    many: int = MANY,
) -> Strangers:
    """Count the strangers of a crowd.

    Records are connected by what else they give, by their reference and by a name that may be one
    person's. What is `blurred` is shared by strangers itself and connects nobody; what is
    `together` is known to be one customer's.
    """
    groups = _groups()
    names = crowd.names() - _everybodys(crowd, NAMELESS * many)
    for record in crowd.records:
        keys: list[Hashable] = [each for each in record.others if each not in blurred]
        has_name = record.name in names
        # A reference alone makes no stranger: some shops number each order of a customer anew.
        if not (keys or has_name):
            continue
        if has_name:
            keys.append(("name", record.name))
        if record.reference:
            keys.append(("reference", record.reference))
        groups.union(*keys)
    for each in together:
        groups.union(*each)
    for alike in _apart(names):
        groups.union(*(("name", name) for name in alike))
    found = list(groups.to_sets())
    named = sum(any(_is_name(key) for key in group) for group in found)
    return Strangers(len(found), named)


def _everybodys(crowd: Crowd, most: int) -> set[Words]:
    """Return the names that come with more than one person has: Guest, or that of a company."""
    others: dict[Words, set[Value]] = {}
    for record in crowd.records:
        others.setdefault(record.name, set()).update(record.others)
    return {name for name, given in others.items() if len(given) >= most}


def _is_name(key: Hashable) -> bool:
    return isinstance(key, tuple) and not isinstance(key, Value) and key[0] == "name"
