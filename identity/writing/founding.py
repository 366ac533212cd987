"""Customers of one row each, with the ids that they were given: what both databases are handed."""

from collections.abc import Sequence

from sqlalchemy import Connection

from identity.bulk import spoken
from identity.deciding import Alone
from identity.identifiers import Kind
from identity.models import EventKind
from identity.writing.loads import Written

EMAIL, PHONE = Kind.EMAIL.value, Kind.PHONE.value
CREATED, LINKED = EventKind.CONTACT_CREATED.value, EventKind.CONTACT_LINKED.value


Row = tuple[int, int, str | None, str | None, str, int, str]
"""A contact's id, the place of its claim, email, phone number, date, the id of the primary, and
which of the two it brought: in the words of a database."""


def rows_of(
    connection: Connection,
    alone: Sequence[Alone],
    ids: Written,
    places: Sequence[int],
    first_claim: int,
) -> list[Row]:
    """Return the rows of customers whose claims have their places, counted from the first one."""
    speak = spoken(connection.dialect)
    # All of them are new. There are so many that to ask `ids` for each takes a second in a minute.
    contact_ids, first = ids.contact_ids, ids.first
    return [
        (
            contact_ids[number - first],
            places[claim - first_claim],
            email,
            phone_number,
            speak(dated),
            contact_ids[primary - first],
            EMAIL if brought is Kind.EMAIL else PHONE,
        )
        for number, claim, email, phone_number, dated, primary, brought in alone
    ]
