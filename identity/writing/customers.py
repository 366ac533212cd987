"""New contacts with all that belongs to them, many of them, as PostgreSQL takes them.

Nearly all of a file is made of these, so their rows are not built cell by cell: as lines of text
they take half the time of handing them to its driver.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from sqlalchemy import Connection

from identity.moments import spoken
from identity.writing.founding import (
    CREATED,
    EMAIL,
    IS_ALONE,
    IS_LINKED,
    LINKED,
    NEW_EMAIL,
    NEW_PHONE,
    NO_EMAIL,
    NO_PHONE,
    PHONE,
    Row,
)
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
    """New contacts to be written."""

    def __init__(self, connection: Connection, rows: Sequence[Row], teller: Teller) -> None:
        self._connection, self._rows, self._teller = connection, rows, teller
        self._now = spoken(connection.dialect)(teller.now)

    def _identifiers(self) -> Iterable[tuple[str, str, int]]:
        for id_, _, email, phone_number, _, _, _, marks in self._rows:
            if email and marks & NEW_EMAIL:
                yield EMAIL, email, id_
            if phone_number and marks & NEW_PHONE:
                yield PHONE, phone_number, id_

    def write_contacts(self) -> None:
        """Write their contacts."""
        primary, secondary = f"{NONE}\t{PRIMARY}", f"\t{SECONDARY}"
        end = f"\t{self._now}\n"
        lines = [
            f"{id_}\t{has}\t{primary if id_ == to else f'{to}{secondary}'}\t{created}{end}"
            for id_, _, _, has, _, created, to, _ in self._as_text
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
        told, by = f"\t{_marked(source)}\t{now}\t", f"\t{import_id or NONE}\t"
        brought = [f"\t{kind}\t{NONE}\t{NONE}\n" for kind in (PHONE, EMAIL)]
        lines = [
            f"{place}\t{said}{told}{dated}{by}{id_}{brought[marks & NEW_EMAIL]}"
            for id_, place, said, _, dated, _, _, marks in self._as_text
        ]
        CLAIMS.insert_lines(self._connection, lines)

    def write_lines(self) -> None:
        """Write the lines of the ledger of those that concern others."""
        self._write_lines(0)

    def write_lines_alone(self) -> None:
        """Write those of the others."""
        self._write_lines(IS_ALONE)

    def _write_lines(self, which: int) -> None:
        source, end = _marked(self._teller.name), f"\t{NONE}\ttrue\n"
        created, linked = (f"{self._now}\t{kind}\t{source}\t" for kind in (CREATED, LINKED))
        lines = [
            f"{linked if marks & IS_LINKED else created}{to}\t{id_}\t{has}{end}"
            for id_, _, _, has, _, _, to, marks in self._as_text
            if marks & IS_ALONE == which
        ]
        LINES.insert_lines(self._connection, lines)

    @cached_property
    def _as_text(self) -> list[tuple[int, int, str, str, str, str, int, int]]:
        """The rows as COPY has them: what was told, and what of it the contact has."""
        rows = []
        for id_, place, email, phone_number, dated, created, to, marks in self._rows:
            email, phone_number = _marked(email), _marked(phone_number)
            said = has = f"{email}\t{phone_number}"
            if marks & (NO_EMAIL | NO_PHONE):
                own = (
                    NONE if marks & NO_EMAIL else email,
                    NONE if marks & NO_PHONE else phone_number,
                )
                has = "\t".join(own)
            rows.append((id_, place, said, has, dated, created, to, marks))
        return rows


def _marked(text: str | None) -> str:
    if text is None:
        return NONE
    # In a quoted address nearly anything may stand.
    return text.translate(_MARKS) if "\\" in text or not text.isprintable() else text
