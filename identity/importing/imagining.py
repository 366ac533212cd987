"""What the tables would hold after a batch, without writing to them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from identity import database
from identity.importing import storing
from identity.importing.deciding import NEW, Decided, Known, decide
from identity.importing.rows import Call


class Imagined:
    """Decides batches upon the database and upon all batches before, which it remembers.

    Its memory grows with the new identifiers of the file, not with its rows.
    """

    def __init__(self) -> None:
        """Begin with what the database holds."""
        self._next = NEW
        self._remembered = Known()
        self._successors: dict[int, int] = {}

    def settle(self, calls: Sequence[Call]) -> Decided:
        """Return what a batch would bring."""
        decided = decide(calls, self._known(calls), self._next, datetime.now(UTC))
        self._next += len(decided.contacts)
        remembered = self._remembered
        primaries = {contact.number: contact.primary for contact in decided.contacts}
        remembered.holders.update(
            (value, primaries[number]) for value, number in decided.identifiers
        )
        remembered.pairs.update(decided.links)
        remembered.created_at.update(decided.created_at)
        self._successors.update(decided.absorbed)
        return decided

    def _known(self, calls: Sequence[Call]) -> Known:
        stored = database.retrying(lambda: storing.look_up(calls))
        remembered = self._remembered
        known = Known(pairs=stored.pairs)
        for email, phone_number, _, _ in calls:
            if email and phone_number and (email, phone_number) in remembered.pairs:
                known.pairs.add((email, phone_number))
            for value in filter(None, (email, phone_number)):
                holder = stored.holders.get(value) or remembered.holders.get(value)
                if holder is not None:
                    known.holders[value] = primary = self._primary(holder)
                    known.created_at[primary] = (
                        remembered.created_at.get(primary) or stored.created_at[primary]
                    )
        return known

    def _primary(self, contact_id: int) -> int:
        while contact_id in self._successors:
            contact_id = self._successors[contact_id]
        return contact_id
