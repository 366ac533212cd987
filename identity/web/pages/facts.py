"""The facts of a customer: what is known, from whom, and how well it holds together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from identity.events import Entry
from identity.evidence import Telling
from identity.fillers import looks_like_filler
from identity.identifiers import Identifiers, Kind, Value
from identity.portraying.graphs import Edge
from identity.portraying.holding import Holding
from identity.portraying.portraits import Carried, Portrait

LISTED = 8
"""Identifiers of one kind, and references, that are told with their sources."""

MAY_BE_ONE = 3
"""Names that may be one person's, spelt in several ways. With more of them, one says too much."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An identifier, the name by which an address calls it, and who told it."""

    value: str
    name: str
    tellings: tuple[Telling, ...]
    """One of each source, the first of it."""


@dataclass(frozen=True, slots=True)
class Health:
    """How well a customer holds together."""

    contacts: int
    shared: tuple[Value, int] | None
    """The value that at least half of the contacts have, where that is remarkable."""
    weakest: Edge | None
    has_bridge: bool
    is_judged: bool
    """Whether it is known which links hold it together."""

    @property
    def reason(self) -> str | None:
        """Why what is shared looks like nobody's; None when it does not."""
        return looks_like_filler(self.shared[0]) if self.shared else None


class Facts:
    """What a page tells of a customer before anything else."""

    def __init__(self, portrait: Portrait, heard: Entry | None, held: Holding | None) -> None:
        """`heard` is what was heard last; `held` is None where that is not known."""
        self._portrait = portrait
        self._heard = heard
        self._held = held

    @property
    def heading(self) -> str:
        """The name, if a source gave one; else the email and the phone number."""
        primary = self._portrait.primary
        if len(self.names) > MAY_BE_ONE:
            return f"{self.names[0]} and {len(self.names) - 1:,} other names"
        named = next(iter(self.names), "")
        return named or " · ".join(filter(None, (primary.email, primary.phone_number)))

    @cached_property
    def names(self) -> list[str]:
        """What the sources call them, without repeats."""
        return _once(each.named.name for each in self._portrait.carried)

    @cached_property
    def references(self) -> list[Carried]:
        """The sources' own ids, each once for each source."""
        found = {
            (each.named.source, each.named.reference): each
            for each in reversed(self._portrait.carried)
            if each.named.reference
        }
        return list(reversed(found.values()))

    @cached_property
    def emails(self) -> list[Fact]:
        """The first emails, and who told them."""
        return self._facts(Kind.EMAIL, self._portrait.cluster.emails)

    @cached_property
    def phone_numbers(self) -> list[Fact]:
        """The first phone numbers, and who told them."""
        return self._facts(Kind.PHONE, self._portrait.cluster.phone_numbers)

    @property
    def last_heard(self) -> datetime:
        """When something new was told of them last, or they were merged with somebody."""
        moments = [claim.told_at for claim in self._portrait.tellings]
        moments += [claim.told_at for claim in self._portrait.contact_claims.values()]
        if self._heard:
            moments.append(self._heard.occurred_at)
        return max(moments, default=self._portrait.primary.created_at)

    @property
    def health(self) -> Health:
        """How well they hold together."""
        sizes, held = self._portrait.sizes, self._held
        shared = sizes.shared
        # Of two or three contacts it is no news that they have something in common.
        if shared and (shared[1] < 4 or shared[1] * 2 < sizes.contacts):
            shared = None
        weakest = held.weakest if held else None
        has_bridge = bool(held and held.bridges)
        return Health(sizes.contacts, shared, weakest, has_bridge, held is not None)

    def _facts(self, kind: Kind, values: Iterable[str]) -> list[Fact]:
        brought: dict[str, int] = {}
        for member in self._portrait.cluster.members:
            for value in Identifiers(member.email, member.phone_number).values():
                if value.kind is kind:
                    brought.setdefault(value.text, member.id)
        said = self._said
        return [
            Fact(
                text,
                f"{kind.value[0]}{brought[text]}",
                tuple(said.get(Value(kind, text), {}).values()),
            )
            for text, _ in zip(values, range(LISTED), strict=False)
        ]

    @cached_property
    def _said(self) -> dict[Value, dict[str, Telling]]:
        said: dict[Value, dict[str, Telling]] = {}
        for claim in self._tellings():
            for value in claim.values():
                said.setdefault(value, {}).setdefault(claim.source, claim)
        return said

    def _tellings(self) -> Iterator[Telling]:
        portrait = self._portrait
        yield from portrait.tellings if portrait.is_whole else portrait.contact_claims.values()


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, texts)))
