"""New contacts as both databases are handed them: with their claim and their line of the ledger.

Nearly all that a file brings is a contact, the claim that made it, its identifiers and the line
that tells of it. They are one row here, from which a database makes those of its tables.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from identity.bulk import FEW
from identity.deciding import Alone, Decided, NewClaim, NewContact
from identity.deciding.decided import Line
from identity.identifiers import Kind, Value
from identity.models import EventKind
from identity.moments import spoken
from identity.writing.loads import Written

EMAIL, PHONE = Kind.EMAIL.value, Kind.PHONE.value
CREATED, LINKED = EventKind.CONTACT_CREATED.value, EventKind.CONTACT_LINKED.value

NEW_EMAIL, NEW_PHONE = 1, 2
"""Marks of a row: the identifiers that it brings."""
NO_EMAIL, NO_PHONE = 4, 8
"""What its contact does not have, although its claim says it, because it links nobody."""
IS_LINKED = 16
"""The ledger tells of it as one that belongs to a known customer."""
IS_ALONE = 32
"""It was decided by itself, and is told of after all that was not."""

Row = tuple[int, int, str | None, str | None, str, str, int, int]
"""A contact's id, the place of its claim, email and phone number as told, the date of the claim and
that of the contact, the id of the primary, and its marks: in the words of a database."""


class Founded(NamedTuple):
    """What was decided: rows, and what is left to be written otherwise."""

    rows: list[Row]
    contacts: Sequence[NewContact]
    identifiers: Sequence[tuple[Value, int]]
    claims: Sequence[NewClaim]
    lines: Sequence[Line]


def founded(
    connection: Connection, decided: Decided, ids: Written, places: Sequence[int]
) -> Founded:
    """Return the rows of what was decided; its claims have their places, from the first one on."""
    naming = _Naming(connection, decided, ids, places)
    alone = naming.alone(decided.alone)
    contacts, claims, lines = decided.contacts, decided.claims, decided.lines
    makers = [claim for claim in claims if claim.memory.contact is not None]
    # What is held made two, and is told of between the others. A few are written as quickly.
    each_has_its_own = [claim.memory.contact for claim in makers] == [
        contact.number for contact in contacts
    ]
    if len(contacts) <= FEW or not each_has_its_own:
        return Founded(alone, contacts, decided.identifiers, claims, lines)
    made = naming.made(makers)
    others = [claim for claim in claims if claim.memory.contact is None]
    return Founded([*made, *alone], (), (), others, lines[len(contacts) :])


class _Naming:
    """Gives what was decided its ids and its words."""

    def __init__(
        self, connection: Connection, decided: Decided, ids: Written, places: Sequence[int]
    ) -> None:
        self._speak = spoken(connection.dialect)
        self._decided, self._ids, self._places = decided, ids, places

    def alone(self, alone: Sequence[Alone]) -> list[Row]:
        speak, places, first_claim = self._speak, self._places, self._decided.first_claim
        # All of them are new. There are so many that to ask `ids` for each takes a second in a
        # minute.
        contact_ids, first = self._ids.contact_ids, self._ids.first
        rows: list[Row] = []
        for number, claim, email, phone_number, dated, primary, brought in alone:
            if number == primary:
                marks = IS_ALONE
                if email:
                    marks |= NEW_EMAIL
                if phone_number:
                    marks |= NEW_PHONE
            else:
                new = NEW_EMAIL if brought is Kind.EMAIL else NEW_PHONE
                marks = IS_ALONE | IS_LINKED | new
            moment, id_ = speak(dated), contact_ids[number - first]
            place, to = places[claim - first_claim], contact_ids[primary - first]
            rows.append((id_, place, email, phone_number, moment, moment, to, marks))
        return rows

    def made(self, makers: Sequence[NewClaim]) -> list[Row]:
        speak, places, first_claim = self._speak, self._places, self._decided.first_claim
        contact_id, brings = self._ids.contact, self._brings()
        rows: list[Row] = []
        for claim, contact, line in zip(
            makers, self._decided.contacts, self._decided.lines, strict=False
        ):
            place, email, phone_number, dated, _, _ = claim
            number, own_email, own_phone, created, primary = contact
            marks = brings[number]
            if own_email is None:
                marks |= NO_EMAIL
            if own_phone is None:
                marks |= NO_PHONE
            if line.kind is EventKind.CONTACT_LINKED:
                marks |= IS_LINKED
            id_, to, place = contact_id(number), contact_id(primary), places[place - first_claim]
            moments = speak(dated), speak(created)
            rows.append((id_, place, email, phone_number, *moments, to, marks))
        return rows

    def _brings(self) -> dict[int, int]:
        """Return the marks of what each contact brings."""
        marks: dict[int, int] = {}
        for value, number in self._decided.identifiers:
            new = NEW_EMAIL if value.kind is Kind.EMAIL else NEW_PHONE
            marks[number] = marks.get(number, 0) | new
        return marks
