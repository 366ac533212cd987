"""Words looked for in all places where they may stand, and not for long.

Whoever typed what half of everybody has is told so, and not kept waiting.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from identity import database
from identity.searching import places
from identity.searching.places import Hits
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


def run(asked: Sequence[Scan]) -> list[Hits]:
    """Return the answers, in the order of the questions; raise `Unavailable`."""
    if database.has_one_writer():
        # It reads all rows of a place, and Python may do something else meanwhile.
        with ThreadPoolExecutor(max(len(asked), 1)) as threads:
            begun = [threads.submit(database.elsewhere(partial(_read, scan))) for scan in asked]
            return [each.result() for each in begun]
    with database.snapshot() as connection:
        found = [scan.ask(connection, True) if scan.sampled else Hits([], False) for scan in asked]
        go_by_indexes(connection)
        return [
            hits if hits.more else scan.ask(connection, False)
            for hits, scan in zip(found, asked, strict=True)
        ]


def go_by_indexes(connection: Connection) -> None:
    """Let PostgreSQL read no table from one end to the other, until the transaction ends."""
    # After a large import it goes by the figures of before, and would read a million rows where
    # an index knows of ten.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


def common(word: Word) -> int:
    """Return how many rows of a sample have a word, in the place with most of them."""

    def ask(connection: Connection) -> int:
        places = (scan.ask(connection, True) for scan in of([word]) if scan.sampled)
        return max((len(found.hits) for found in places), default=0)

    return database.read(ask)


def _read(scan: Scan) -> Hits:
    return database.read(lambda connection: scan.ask(connection, False))
