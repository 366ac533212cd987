"""Things that are joined, and the groups that come of it.

The library networkx has the same. To load it takes as long as to load the web framework, and a
file of customers would need nothing else of it.
"""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Thing = TypeVar("Thing", bound=Hashable)


class Groups(Generic[Thing]):
    """Things, each in a group by itself until it is joined with others."""

    def __init__(self, things: Iterable[Thing] = ()) -> None:
        self._leads_to = {thing: thing for thing in things}
        """Of each thing another one of its group; of the one that the group is known by, itself."""
        self._many: dict[Thing, int] = {}
        """How many things are in a group, by what it is known by; one where nothing is said."""

    def of(self, thing: Thing) -> Thing:
        """Return what the group of a thing is known by: one of its things, until it is joined."""
        way = []
        while (nearer := self._leads_to.setdefault(thing, thing)) != thing:
            way.append(thing)
            thing = nearer
        # Whoever asks again is there at once.
        for each in way:
            self._leads_to[each] = thing
        return thing

    def join(self, *things: Thing) -> None:
        """Let things be in one group, and all that were with them."""
        # Into the largest: fewer things lead astray so.
        roots = sorted({self.of(each) for each in things}, key=lambda root: -self._size(root))
        for root in roots[1:]:
            self._leads_to[root] = roots[0]
            self._many[roots[0]] = self._size(roots[0]) + self._many.pop(root, 1)

    def _size(self, root: Thing) -> int:
        return self._many.get(root, 1)

    def all(self) -> list[set[Thing]]:
        """Return the groups."""
        found: dict[Thing, set[Thing]] = {}
        for thing in list(self._leads_to):
            found.setdefault(self.of(thing), set()).add(thing)
        return list(found.values())
