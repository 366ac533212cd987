"""Customers of one contact, many of them: four rows each, made without a look at any other.

Nearly all of a file is made of these, so their rows are not built cell by cell. PostgreSQL takes
them as lines of text, which takes half the time of handing them to its driver.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from identity.bulk import spoken
from identity.deciding import Alone
from identity.identifiers import Kind
from identity.models import EventKind
from identity.writing.loads import CLAIMS, CONTACTS, LINES, PRIMARY, Teller, Written

EMAIL, PHONE = Kind.EMAIL.value, Kind.PHONE.value
CREATED = EventKind.CONTACT_CREATED.value
NONE = "\\N"
"""How COPY has what is absent."""
_MARKS = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Founded:
    """Customers to be written, with the ids of their contacts and the places of their claims."""

    def __init__(self, alone: Sequence[Alone], ids: Written, places: Callable[[int], int]) -> None:
        self._rows = [
            (ids.contact(number), places(claim), email, phone_number, dated)
            for number, claim, email, phone_number, dated in alone
        ]

    def identifiers(self) -> Iterable[tuple[str, str, int]]:
        """Yield the rows of their identifiers."""
        for id_, _, email, phone_number, _ in self._rows:
            if email:
                yield EMAIL, email, id_
            if phone_number:
                yield PHONE, phone_number, id_

    def write_contacts(self, connection: Connection, teller: Teller) -> None:
        """Write their contacts."""
        speak = spoken(connection.dialect)
        now = speak(teller.now)
        if connection.dialect.name == "postgresql":
            end = f"{NONE}\t{PRIMARY}\t"
            lines = [
                f"{id_}\t{email}\t{phone}\t{end}{dated}\t{now}\n"
                for id_, _, email, phone, dated in self._as_text(speak)
            ]
            CONTACTS.insert_lines(connection, lines)
        else:
            rows = self._rows
            CONTACTS.insert_spoken(
                connection,
                [(id_, e, p, None, PRIMARY, speak(dated), now) for id_, _, e, p, dated in rows],
            )

    def write_claims(self, connection: Connection, teller: Teller) -> None:
        """Write their claims."""
        speak = spoken(connection.dialect)
        source, now, import_id = teller.source, speak(teller.now), teller.import_id
        if connection.dialect.name == "postgresql":
            told, by = f"{_marked(source)}\t{now}\t", f"\t{import_id or NONE}\t"
            kinds = {True: f"\t{PHONE}\t{NONE}\t{NONE}\n", False: f"\t{EMAIL}\t{NONE}\t{NONE}\n"}
            lines = [
                f"{place}\t{email}\t{phone}\t{told}{dated}{by}{id_}{kinds[email == NONE]}"
                for id_, place, email, phone, dated in self._as_text(speak)
            ]
            CLAIMS.insert_lines(connection, lines)
        else:
            CLAIMS.insert_spoken(
                connection,
                [
                    (
                        *(place, e, p, source, now, speak(dated), import_id),
                        *(id_, EMAIL if e else PHONE, None, None),
                    )
                    for id_, place, e, p, dated in self._rows
                ],
            )

    def write_lines(self, connection: Connection, teller: Teller) -> None:
        """Write their lines of the ledger."""
        speak = spoken(connection.dialect)
        now, name = speak(teller.now), teller.name
        if connection.dialect.name == "postgresql":
            begin, end = f"{now}\t{CREATED}\t{_marked(name)}\t", f"\t{NONE}\ttrue\n"
            lines = [
                f"{begin}{id_}\t{id_}\t{email}\t{phone}{end}"
                for id_, _, email, phone, _ in self._as_text(speak)
            ]
            LINES.insert_lines(connection, lines)
        else:
            rows = self._rows
            LINES.insert_spoken(
                connection,
                [(now, CREATED, name, id_, id_, e, p, None, True) for id_, _, e, p, _ in rows],
            )

    def _as_text(
        self, speak: Callable[[datetime], str]
    ) -> Iterable[tuple[int, int, str, str, str]]:
        """Return the rows as COPY has them."""
        return [
            (
                *(id_, place, _marked(email) if email else NONE),
                *(_marked(phone) if phone else NONE, speak(dated)),
            )
            for id_, place, email, phone, dated in self._rows
        ]


def _marked(text: str) -> str:
    # In a quoted address nearly anything may stand.
    return text.translate(_MARKS) if not text.isprintable() or "\\" in text else text
