"""Erasures made again, after a backup from before them was restored."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import CompoundSelect, Connection, select, union

from identity import database, evidence, forgetting
from identity.erasing.applying import erase
from identity.erasing.reach import Wanted
from identity.forgetting import filing
from identity.forgetting.filing import File
from identity.identifiers import Value, email_value, phone_value
from identity.models import Claim, Event, Identifier
from identity.rulings.applying import Ordered

AT_ONCE = 10_000
"""Values that are fetched at a time."""
REASON = "Erased again, after a backup was restored."
_emails: CompoundSelect[str] = union(
    select(Claim.email.label("value")).where(Claim.email.is_not(None)),
    select(Event.email).where(Event.email.is_not(None)),
    select(Identifier.value).where(Identifier.kind == "email"),
)
_numbers: CompoundSelect[str] = union(
    select(Claim.phone_number.label("value")).where(Claim.phone_number.is_not(None)),
    select(Event.phone_number).where(Event.phone_number.is_not(None)),
    select(Identifier.value).where(Identifier.kind == "phone"),
)


class Again(NamedTuple):
    """What came of it."""

    taken_over: int
    """Erasures that the database did not know of."""
    erased: int
    """Identifiers that were on record, and went again."""
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
    for chosen, made in ((_emails, email_value), (_numbers, phone_value)):
        with connection.execute(chosen.execution_options(yield_per=AT_ONCE)) as rows:
            yield from filter(is_erased, (made(text) for (text,) in rows))
