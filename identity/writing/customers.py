"""Customers of one row each, many of them, as PostgreSQL takes them.

Nearly all of a file is made of these, so their rows are not built cell by cell: as lines of text
they take half the time of handing them to its driver.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from sqlalchemy import Connection

from identity.bulk import spoken
from identity.writing.founding import CREATED, EMAIL, LINKED, PHONE, Row
from identity.writing.loads import (
    CLAIMS,
    CONTACTS,
    LINES,
    NEW_IDENTIFIERS,
    PRIMARY,
    SECONDARY,
    Teller,
)

NONE = "\\N"
"""How COPY has what is absent."""
_MARKS = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Copied:
    """Customers to be written."""

    def __init__(self, connection: Connection, rows: Sequence[Row], teller: Teller) -> None:
        self._connection, self._rows, self._teller = connection, rows, teller
        self._now = spoken(connection.dialect)(teller.now)

    def _identifiers(self) -> Iterable[tuple[str, str, int]]:
        for id_, _, email, phone_number, _, primary, brought in self._rows:
            if email and (id_ == primary or brought is EMAIL):
                yield EMAIL, email, id_
            if phone_number and (id_ == primary or brought is PHONE):
                yield PHONE, phone_number, id_

    def write_contacts(self) -> None:
        """Write their contacts, each primary before its secondary."""
        now = self._now
        lines = [
            f"{id_}\t{email}\t{phone}\t{NONE}\t{PRIMARY}\t{dated}\t{now}\n"
            if id_ == to
            else f"{id_}\t{email}\t{phone}\t{to}\t{SECONDARY}\t{dated}\t{now}\n"
            for id_, _, email, phone, dated, to, _ in self._as_text
        ]
        CONTACTS.insert_lines(self._connection, lines)

    def write_identifiers(self, others: Sequence[tuple[str, str, int]]) -> None:
        """Write theirs and others; raise `LostRace` as `Taking.insert` does."""
        # In the order of their keys: two loads that insert the same identifiers in different
        # orders would wait for each other, and are told so only by an error.
        identifiers = sorted([*self._identifiers(), *others])
        NEW_IDENTIFIERS.insert(self._connection, identifiers, self._teller.up_to)

    def write_claims(self) -> None:
        """Write their claims."""
        now, source, import_id = self._now, self._teller.source, self._teller.import_id
        told, by = f"{_marked(source)}\t{now}\t", f"\t{import_id or NONE}\t"
        lines = [
            f"{place}\t{email}\t{phone}\t{told}{dated}{by}{id_}\t{brought}\t{NONE}\t{NONE}\n"
            for id_, place, email, phone, dated, _, brought in self._as_text
        ]
        CLAIMS.insert_lines(self._connection, lines)

    def write_lines(self) -> None:
        """Write their lines of the ledger."""
        now, name = self._now, self._teller.name
        source, end = _marked(name), f"\t{NONE}\ttrue\n"
        founded, linked = f"{now}\t{CREATED}\t{source}\t", f"{now}\t{LINKED}\t{source}\t"
        lines = [
            f"{founded if id_ == to else linked}{to}\t{id_}\t{email}\t{phone}{end}"
            for id_, _, email, phone, _, to, _ in self._as_text
        ]
        LINES.insert_lines(self._connection, lines)

    @cached_property
    def _as_text(self) -> list[tuple[int, int, str, str, str, int, str]]:
        """The rows as COPY has them."""
        return [
            (id_, place, _marked(email), _marked(phone), dated, primary, brought)
            for id_, place, email, phone, dated, primary, brought in self._rows
        ]


def _marked(text: str | None) -> str:
    if text is None:
        return NONE
    # In a quoted address nearly anything may stand.
    return text.translate(_MARKS) if "\\" in text or not text.isprintable() else text
