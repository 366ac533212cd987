"""Erasures made again, after a backup from before them was restored."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from identity import database, evidence, forgetting
from identity.erasing import sighting
from identity.erasing.applying import erase
from identity.erasing.reach import Wanted
from identity.forgetting import filing
from identity.forgetting.filing import File
from identity.identifiers import Value
from identity.rulings.applying import Ordered

REASON = "Erased again, after a backup was restored."


class Again(NamedTuple):
    """What came of it."""

    taken_over: int
    """Erasures that the database did not know of."""
    erased: int
    """Identifiers that stood somewhere on record, and went again."""
    nobodys: int
    """Those that stay, because by a ruling they link nobody: that is to be undone first."""


@database.unhurried()
def apply(file: File, by: str) -> Again:
    """Take over what a file says, and erase again whatever is on record and was erased.

    Raise `Unavailable` when a key is missing.
    """
    taken_over = filing.take_over(file)
    with database.long_snapshot() as connection:
        found = frozenset(_back(connection))
        nobodys = found & evidence.ruled_nobody(connection)
    if left := found - nobodys:
        erase(Wanted(left), Ordered(by, REASON))
    return Again(taken_over, len(left), len(nobodys))


def _back(connection: Connection) -> Iterator[Value]:
    _, is_erased = forgetting.recognizer(connection)
    if is_erased is None:
        return
    yield from filter(is_erased, sighting.all_told(connection))
