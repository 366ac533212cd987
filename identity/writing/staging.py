"""New contacts with all that belongs to them, many of them, as SQLite takes them.

Their rows are handed over once, into a table that only this connection sees, and go from there into
all the others: half of the time that handing over each row of each table takes.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from identity.errors import LostRace
from identity.keyed import TAKEN_FIRST
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
from identity.writing.loads import LATER_ERASURES, NEW_IDENTIFIERS, PRIMARY, SECONDARY, Teller

NO_LATER_ERASURE = f"NOT EXISTS ({LATER_ERASURES.replace('?', ':up_to')})"
HAS = (
    f"iif(marks & {NO_EMAIL}, NULL, email) AS email,"
    f" iif(marks & {NO_PHONE}, NULL, phone_number) AS phone_number"
)

MAKE = """
    CREATE TEMP TABLE IF NOT EXISTS founded (
        id INTEGER PRIMARY KEY, place INTEGER, email TEXT, phone_number TEXT, dated TEXT,
        created TEXT, founder INTEGER, marks INTEGER
    )"""
EMPTY = "DELETE FROM founded"
STAGE = "INSERT INTO founded VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
# Whoever is linked may come before their primary, within one statement.
CONTACTS = f"""
    INSERT INTO contact (
        id, email, phone_number, linked_id, link_precedence, created_at, updated_at
    )
    SELECT id, {HAS}, nullif(founder, id), iif(founder = id, '{PRIMARY}', '{SECONDARY}'),
           created, :now
    FROM founded ORDER BY id"""  # noqa: S608, these are our own words, as below
# In the order of their keys, so that neighbours follow each other.
IDENTIFIERS = [
    f"""
    INSERT INTO identifier (kind, value, contact_id)
    SELECT '{kind}', {column}, id FROM founded WHERE marks & {new} AND {NO_LATER_ERASURE}
    ORDER BY {column} ON CONFLICT DO NOTHING"""  # noqa: S608
    for kind, column, new in ((EMAIL, "email", NEW_EMAIL), (PHONE, "phone_number", NEW_PHONE))
]
EXPECTED = f"""
    SELECT count(*) FILTER (WHERE marks & {NEW_EMAIL}) + count(*) FILTER (WHERE marks & {NEW_PHONE})
    FROM founded"""  # noqa: S608
CLAIMS = f"""
    INSERT INTO claim (
        id, email, phone_number, source, told_at, dated_at, import_id, contact_id, brought
    )
    SELECT place, email, phone_number, :source, :now, dated, :import_id, id,
           iif(marks & {NEW_EMAIL}, '{EMAIL}', '{PHONE}')
    FROM founded ORDER BY id"""  # noqa: S608
LINES, LINES_ALONE = (
    f"""
    INSERT INTO event (
        occurred_at, kind, source, primary_id, contact_id, email, phone_number, in_claims
    )
    SELECT :now, iif(marks & {IS_LINKED}, '{LINKED}', '{CREATED}'), :name, founder, id, {HAS}, true
    FROM founded WHERE {which} marks & {IS_ALONE} ORDER BY id"""  # noqa: S608
    for which in ("NOT", "")
)


class Staged:
    """New contacts to be written."""

    def __init__(self, connection: Connection, rows: Sequence[Row], teller: Teller) -> None:
        self._connection, self._rows, self._up_to = connection, rows, teller.up_to
        self._values = {
            "source": teller.source,
            "name": teller.name,
            "now": spoken(connection.dialect)(teller.now),
            "import_id": teller.import_id,
            "up_to": teller.up_to,
        }
        self._cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]

    def write_contacts(self) -> None:
        """Write their contacts."""
        if self._rows:
            self._cursor.execute(MAKE)
            self._cursor.executemany(STAGE, self._rows)
            self._run(CONTACTS)

    def write_identifiers(self, others: Sequence[tuple[str, str, int]]) -> None:
        """Write theirs and others; raise `LostRace` as `Taking.insert` does."""
        written = sum(self._run(each) for each in IDENTIFIERS)
        if self._rows and written < self._cursor.execute(EXPECTED).fetchone()[0]:
            raise LostRace(TAKEN_FIRST)
        NEW_IDENTIFIERS.insert(self._connection, sorted(others), self._up_to)

    def write_claims(self) -> None:
        """Write their claims."""
        self._run(CLAIMS)

    def write_lines(self) -> None:
        """Write the lines of the ledger of those that concern others."""
        self._run(LINES)

    def write_lines_alone(self) -> None:
        """Write those of the others, which is the last of it."""
        self._run(LINES_ALONE)
        self._run(EMPTY)

    def _run(self, statement: str) -> int:
        if not self._rows:
            return 0
        return int(self._cursor.execute(statement, self._values).rowcount)
