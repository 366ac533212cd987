"""Words looked for in all places where they may stand, and not for long.

Whoever typed what half of everybody has is told so, and not kept waiting.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from identity import database
from identity.identifiers import Kind
from identity.searching import places
from identity.searching.places import SAMPLE, Hits
from identity.searching.words import Where, Word


class Scan(NamedTuple):
    """A question, and whether it may be asked of a sample of the rows first."""

    ask: Callable[[Connection, bool], Hits]
    sampled: bool = True


def of(words: Sequence[Word]) -> list[Scan]:
    """Return what to ask for what has all of the words."""
    asked = []
    if any(word.is_long for word in words):
        if all(word.forms for word in words):
            asked.append(Scan(partial(places.identifiers, Where.PHONE, words)))
        if all(word.in_emails for word in words):
            asked.append(Scan(partial(places.identifiers, Where.EMAIL, words)))
        if all(word.in_names for word in words):
            asked.append(Scan(partial(places.names, words)))
    if len(words) == 1:
        asked.append(Scan(partial(places.whole, words[0]), sampled=False))
    return asked


def quick(word: Word) -> list[Scan]:
    """Return what an index alone answers: who has the word as a whole, or nearly."""
    asked = [Scan(partial(places.whole, word), sampled=False)]
    if word.given and word.given.kind is Kind.EMAIL:
        name, _, _ = word.text.rpartition("@")
        asked.append(Scan(partial(places.beginning, f"{name}@"), sampled=False))
    return asked


def run(asked: Sequence[Scan]) -> list[Hits]:
    """Return the answers, in the order of the questions; raise `Unavailable`."""
    if database.has_one_writer():
        # It reads all rows of a place, and Python may do something else meanwhile.
        with ThreadPoolExecutor(max(len(asked), 1)) as threads:
            begun = [threads.submit(database.elsewhere(partial(_read, scan))) for scan in asked]
            return [each.result() for each in begun]
    found = database.read(partial(_of_samples, asked))
    with database.by_index() as connection:
        return [
            hits if hits.more else scan.ask(connection, False)
            for hits, scan in zip(found, asked, strict=True)
        ]


def _of_samples(asked: Sequence[Scan], connection: Connection) -> list[Hits]:
    return [scan.ask(connection, True) if scan.sampled else Hits([], False) for scan in asked]


def common(word: Word) -> int:
    """Return how many rows of a sample have a word, in the place with most of them.

    One that says too little to be looked for is more common than any.
    """
    if word.contact_id is None and not word.is_long:
        return SAMPLE
    return max(len(each.hits) for each in database.read(partial(_of_samples, of([word]))))


def where_common(word: Word) -> list[Scan]:
    """Return the places that need not be read to their end for a word, by a sample of each."""
    asked = of([word])
    found = database.read(partial(_of_samples, asked))
    return [scan for scan, each in zip(asked, found, strict=True) if each.hits]


def _read(scan: Scan) -> Hits:
    return database.read(lambda connection: scan.ask(connection, False))
