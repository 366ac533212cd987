"""Whom somebody looks for: the customers that have all words, the best first.

What a word finds is bounded, and where that leaves somebody out the results say so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from identity import database
from identity.searching import members, scanning
from identity.searching.places import Hit, Hits
from identity.searching.typed import Asked
from identity.searching.words import Where, Word

PAGE = 25
COMMON = 20
"""Rows of a sample; with a word in more of them, not all who have it are looked at."""


@dataclass(slots=True)
class Match:
    """A customer who was found, and by what."""

    primary_id: int
    hits: list[Hit] = field(default_factory=list)
    """The best first."""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    """Who was found."""

    matches: list[Match]
    """The best first, the newest first among equals."""
    more: bool
    """Whether there may be others."""
    nobody: list[Hit]
    """The values that link nobody."""

    def page(self, number: int) -> list[Match]:
        """Return a page of them, the first being 1."""
        return self.matches[(number - 1) * PAGE : number * PAGE]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-len(self.matches) // PAGE)


def search(asked: Asked) -> Results:
    """Return the customers with everything that was typed; raise `Unavailable`."""
    if asked.too_short:
        return Results([], more=False, nobody=[])
    if len(asked.words) == 1:
        found = scanning.run(scanning.of(asked.words))
    else:
        found = _with_all(asked.words)
    hits = dict.fromkeys(hit for each in found for hit in each.hits)
    return _results(asked, hits, more=any(each.more for each in found))


def near(asked: Asked) -> list[tuple[Asked, list[Match]]]:
    """Return who has something of what was typed, word by word, where nobody has all of it."""
    found = []
    for alone in asked.one_by_one():
        (word,) = alone.words
        if word.given or alone.too_short:
            hits = [hit for each in scanning.run(scanning.quick(word)) for hit in each.hits]
            matches = _results(alone, hits, more=False).matches
        else:
            matches = search(alone).matches
        if matches:
            found.append((alone, matches))
    return found


def _with_all(words: Sequence[Word]) -> list[Hits]:
    """Return what is found of customers who have all of the words."""
    common = {word: scanning.common(word) for word in words}
    rarest, *others = sorted(common, key=common.__getitem__)
    found = [] if common[rarest] > COMMON else scanning.run(scanning.of([rarest]))
    # If all who have this word are found, nobody is missing.
    more = not found or any(each.more for each in found)
    hits = _who_have(words, found)
    if hits or not more:
        return [Hits(hits, more)]
    # Each of them is too common. Two words of one name, or of one email, find the few.
    together = scanning.run(scanning.of([rarest, *others]))
    if not any(each.hits for each in together):
        together = [Hits(_who_have(words, scanning.run(scanning.where_common(rarest))), more=True)]
    return [*together, Hits([], more=True)]


def _who_have(words: Sequence[Word], found: Iterable[Hits]) -> list[Hit]:
    """Return what those among the customers found have of the words who have them all."""
    primary_ids = {hit.primary_id for each in found for hit in each.hits if hit.primary_id}
    with database.by_index() as connection:
        hits = list(members.having(connection, primary_ids, words))
    having: dict[int | None, set[Word]] = {}
    for hit in hits:
        has = (word for word in words if word.spans(hit.where, hit.text))
        having.setdefault(hit.primary_id, set()).update(has)
    whole = {primary_id for primary_id, has in having.items() if len(has) == len(set(words))}
    return [hit for hit in hits if hit.primary_id in whole]


def _results(asked: Asked, hits: Iterable[Hit], *, more: bool) -> Results:
    matches: dict[int, Match] = {}
    nobody = []
    ranked = {hit: rank(asked, hit) for hit in hits}
    for hit in sorted(ranked, key=lambda hit: ranked[hit]):
        if hit.primary_id is not None:
            match = matches.setdefault(hit.primary_id, Match(hit.primary_id, rank=ranked[hit]))
            match.hits.append(hit)
        elif hit.where in (Where.EMAIL, Where.PHONE):
            nobody.append(hit)
    ordered = sorted(matches.values(), key=lambda match: (match.rank, -match.primary_id))
    return Results(ordered, more, nobody)


def rank(asked: Asked, hit: Hit) -> int:
    """Return how well something that was found fits what was typed; the smaller the better."""
    fits = (word for word in asked.words if word.spans(hit.where, hit.text))
    return min((word.rank(hit.where, hit.text) for word in fits), default=3)
