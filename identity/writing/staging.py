"""Customers of one row each, many of them, as SQLite takes them.

Their rows are handed over once, into a table that only this connection sees, and go from there into
all the others: half of the time that handing over each row of each table takes.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from identity.bulk import spoken
from identity.errors import LostRace
from identity.keyed import TAKEN_FIRST
from identity.writing.founding import CREATED, EMAIL, LINKED, PHONE, Row
from identity.writing.loads import LATER_ERASURES, NEW_IDENTIFIERS, PRIMARY, SECONDARY, Teller

# Of a secondary only what it brought is new.
IS_NEW = {
    kind: f"{column} IS NOT NULL AND (founder = id OR brought = '{kind}')"
    for kind, column in ((EMAIL, "email"), (PHONE, "phone_number"))
}

NO_LATER_ERASURE = f"NOT EXISTS ({LATER_ERASURES.replace('?', ':up_to')})"

MAKE = """
    CREATE TEMP TABLE IF NOT EXISTS founded (
        id INTEGER PRIMARY KEY, place INTEGER, email TEXT, phone_number TEXT, dated TEXT,
        founder INTEGER, brought TEXT
    )"""
EMPTY = "DELETE FROM founded"
STAGE = "INSERT INTO founded VALUES (?, ?, ?, ?, ?, ?, ?)"
# By their ids a primary is before its secondary, which SQLite wants.
CONTACTS = f"""
    INSERT INTO contact (
        id, email, phone_number, linked_id, link_precedence, created_at, updated_at
    )
    SELECT id, email, phone_number, nullif(founder, id),
           iif(founder = id, '{PRIMARY}', '{SECONDARY}'), dated, :now
    FROM founded ORDER BY id"""  # noqa: S608, these are our own words, as below
# In the order of their keys, so that neighbours follow each other.
IDENTIFIERS = [
    f"""
    INSERT INTO identifier (kind, value, contact_id)
    SELECT '{kind}', {column}, id FROM founded WHERE {IS_NEW[kind]} AND {NO_LATER_ERASURE}
    ORDER BY {column} ON CONFLICT DO NOTHING"""  # noqa: S608
    for kind, column in ((EMAIL, "email"), (PHONE, "phone_number"))
]
EXPECTED = f"""
    SELECT count(*) FILTER (WHERE {IS_NEW[EMAIL]}) + count(*) FILTER (WHERE {IS_NEW[PHONE]})
    FROM founded"""  # noqa: S608
CLAIMS = """
    INSERT INTO claim (
        id, email, phone_number, source, told_at, dated_at, import_id, contact_id, brought
    )
    SELECT place, email, phone_number, :source, :now, dated, :import_id, id, brought
    FROM founded ORDER BY id"""
LINES = f"""
    INSERT INTO event (
        occurred_at, kind, source, primary_id, contact_id, email, phone_number, in_claims
    )
    SELECT :now, iif(founder = id, '{CREATED}', '{LINKED}'), :name, founder, id, email,
           phone_number, true
    FROM founded ORDER BY id"""  # noqa: S608


class Staged:
    """Customers to be written."""

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
        """Write their lines of the ledger, which is the last of it."""
        self._run(LINES)
        self._run(EMPTY)

    def _run(self, statement: str) -> int:
        if not self._rows:
            return 0
        return int(self._cursor.execute(statement, self._values).rowcount)
