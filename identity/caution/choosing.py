"""What somebody chose while looking at the plan of an import, and what is ruled because of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from identity.caution.suspects import Suspect
from identity.identifiers import Value, referred
from identity.rulings import kinds

AT_MOST_APART = 12
"""Customers that may be kept apart from each other at once: each pair of them is a ruling."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What is to be done otherwise than by default."""

    as_it_is: bool = False
    """Nothing is ruled about what strangers share."""
    linking: frozenset[Value] = frozenset()
    """Suspects that link all the same."""
    nobody: frozenset[Value] = frozenset()
    """Suspects that link nobody, although somebody took that back once."""
    apart: tuple[tuple[Value, ...], ...] = ()
    """An identifier of each customer in a union that is left out."""

    def links_nobody(self, suspect: Suspect) -> bool:
        """Tell whether the import lets a suspect link nobody."""
        if self.as_it_is or suspect.value in self.linking:
            return False
        # Somebody said that it does link. Saying otherwise is for people, too.
        return suspect.undone is None or suspect.value in self.nobody

    def pairs(self) -> list[tuple[Value, Value]]:
        """Return which identifiers are kept apart."""
        pairs = (pair for group in self.apart for pair in combinations(dict.fromkeys(group), 2))
        return list(dict.fromkeys(pairs))

    def as_json(self) -> dict[str, Any]:
        """Return what is kept until the import is confirmed."""
        return {
            "as_it_is": self.as_it_is,
            "linking": _spelt(self.linking),
            "nobody": _spelt(self.nobody),
            "apart": [_spelt(group) for group in self.apart],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Choices":
        """Return what was kept; None is what is done by default."""
        kept = kept or {}
        return cls(
            bool(kept.get("as_it_is")),
            frozenset(map(referred, kept.get("linking", ()))),
            frozenset(map(referred, kept.get("nobody", ()))),
            tuple(tuple(map(referred, group)) for group in kept.get("apart", ())),
        )


DEFAULT = Choices()


def _spelt(values: Iterable[Value]) -> list[dict[str, str]]:
    return [kinds.reference(value) for value in sorted(values)]
