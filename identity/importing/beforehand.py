"""What rulings would have changed by the time an import begins, for whoever imagines that.

`Imagined` decides upon what the database holds. An import that begins with rulings decides upon
what is left after them: customers taken apart, values that link nobody, and what is kept apart.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from identity import database, rebuilding
from identity.batching.looking import Look
from identity.clusters import Cluster
from identity.deciding import NEW, Call, Content, Ruled
from identity.identifiers import Value
from identity.rebuilding import Part, Rebuilt

LAST = 1 << 62
"""The number of a ruling that is yet to be made: higher than those on record."""


@dataclass(slots=True)
class Beforehand:
    """Customers as they would be after some rulings."""

    part: Part
    """What is connected with the values of these rulings, as it stands."""
    rebuilt: Rebuilt
    """The same, as it would follow."""
    nobody: frozenset[Value]
    """What would link nobody by these rulings."""
    apart: tuple[tuple[Value, Value], ...]
    _contents: dict[Content, int] = field(init=False)
    _stale: set[Content] = field(init=False)

    def __post_init__(self) -> None:
        """Look up by what they say which contacts there would be, and which would not."""
        self._contents = {
            (each.email, each.phone_number): number
            for number, each in self.rebuilt.contacts.items()
        }
        self._stale = {
            (each.email, each.phone_number)
            for each in self.part.contacts.values()
            if each.ceased_at is None
        }

    @property
    def next(self) -> int:
        """The number of the next new contact: rulings may have made some."""
        return NEW + self.rebuilt.made

    def values(self) -> set[Value]:
        """Return all values that are another's by these rulings, or may be."""
        return {
            *self.nobody,
            *self.rebuilt.holders,
            *(each for pair in self.apart for each in pair),
        }

    def before(self) -> list[Cluster]:
        """Return the customers concerned, as they stand."""
        return self.part.customers()

    def customers(self) -> list[Cluster]:
        """Return the customers that they would be."""
        return self.rebuilt.customers()

    def amend(self, found: Look, calls: Sequence[Call]) -> None:
        """Change what was found out about calls into what would be found out then."""
        known, ruled = found.known, found.ruled
        for value in {value for call in calls for value in call.values()}:
            if value in self.nobody:
                ruled.nobody.add(value)
                known.holders.pop(value, None)
            elif value in self.rebuilt.holders:
                self._hold(value, found)
        for content in known.contents.keys() & self._stale:
            del known.contents[content]
        for call in calls:
            email, phone_number = call.content
            for content in ((email, phone_number), (email, None), (None, phone_number)):
                if content in self._contents:
                    number = self._contents[content]
                    known.contents[content] = number, self.rebuilt.contacts[number].created_at
        for one, other in self.apart:
            ruled.keep_apart(one, other, LAST)
        for value in ruled.apart:
            holder = self.rebuilt.holders.get(value)
            if holder is not None:
                primary = self.rebuilt.contacts[holder].primary
                found.apart[value] = primary
                self._age(primary, found)

    def _hold(self, value: Value, found: Look) -> None:
        holder = self.rebuilt.holders[value]
        if holder is not None:
            primary = self.rebuilt.contacts[holder].primary
            found.known.holders[value] = primary
            self._age(primary, found)

    def _age(self, primary: int, found: Look) -> None:
        created_at = self.rebuilt.contacts[primary].created_at
        found.known.oldest[primary] = created_at, primary


def suppose(
    nobody: Collection[Value], apart: Iterable[tuple[Value, Value]] = ()
) -> Beforehand | None:
    """Return what would follow if some values linked nobody, and others were kept apart.

    None when nothing is ruled.
    """
    pairs = tuple(apart)
    values = {*nobody, *(value for pair in pairs for value in pair)}
    if not values:
        return None
    with database.snapshot() as connection:
        part = rebuilding.read(connection, values, through=nobody)
    ruled = Ruled(
        part.ruled.nobody | set(nobody),
        {value: dict(others) for value, others in part.ruled.apart.items()},
    )
    rebuilt = rebuilding.follow(part.claims.values(), ruled)
    # What is one customer's is not left as it is by keeping it apart.
    pairs = tuple(pair for pair in pairs if not _are_one(rebuilt, *pair))
    for one, other in pairs:
        ruled.keep_apart(one, other, LAST)
    if pairs:
        rebuilt = rebuilding.follow(part.claims.values(), ruled)
    return Beforehand(part, rebuilt, frozenset(nobody), pairs)


def _are_one(rebuilt: Rebuilt, *values: Value) -> bool:
    """Tell whether values are one customer's, or not those of customers at all."""
    holders = [rebuilt.holders.get(value) for value in values]
    primaries = {holder and rebuilt.contacts[holder].primary for holder in holders}
    return len(primaries) == 1 or None in primaries
