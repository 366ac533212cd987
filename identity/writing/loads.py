"""Rows of every table, in any number, and the numbers that they are counted by."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from identity.bulk import Load
from identity.deciding import NEW
from identity.keyed import Taking
from identity.models import Claim, Contact, Event, Identifier, Precedence, Reference

PRIMARY, SECONDARY = Precedence.PRIMARY.value, Precedence.SECONDARY.value
CONTACTS = Load(
    Contact.table(),
    *("id", "email", "phone_number", "linked_id", "link_precedence", "created_at", "updated_at"),
)
HELD_IDENTIFIERS = Taking(Identifier.table(), "kind", "value", "contact_id")
LATER_ERASURES = "SELECT 1 FROM erasure WHERE id > ?"
NEW_IDENTIFIERS = Taking(
    *(Identifier.table(), "kind", "value", "contact_id"), unless=LATER_ERASURES
)
"""Of what is told. The others are on record already, as claims."""
CLAIMS = Load(
    Claim.table(),
    *("id", "email", "phone_number", "source", "told_at", "dated_at", "import_id"),
    *("contact_id", "brought", "other_contact_id", "held_by"),
)
NEW_REFERENCES = Load(Reference.table(), "claim_id", "reference", "name", "import_id")
"""Of claims that are new themselves, so that nobody else can have written any."""
REFERENCES = Taking(Reference.table(), "claim_id", "reference", "name", "import_id")
LINES = Load(
    Event.table(),
    *("occurred_at", "kind", "source", "primary_id", "contact_id"),
    *("email", "phone_number", "detail", "in_claims"),
)


class Teller(NamedTuple):
    """Who told what is written, and when."""

    source: str
    now: datetime
    import_id: int | None = None
    up_to: int = 0
    """The last erasure that is known of to whoever looked whether this was erased."""

    @property
    def name(self) -> str:
        """What the ledger names as the source: of a file, the import."""
        return self.source if self.import_id is None else f"import:{self.import_id}"


@dataclass(frozen=True, slots=True)
class Written:
    """The ids that were given to what had only numbers."""

    first: int
    """The number of the first new contact."""
    contact_ids: Sequence[int]

    def contact(self, number: int) -> int:
        """Return the id of a contact."""
        return number if number < NEW else self.contact_ids[number - self.first]


def draw(connection: Connection, table: str, count: int) -> list[int]:
    """Return that many numbers of the sequence that counts a table, ascending."""
    if not count:
        return []
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        numbers = driver.execute(NEXT, {"table": table, "count": count})
        return sorted([number for (number,) in numbers])
    # Nobody else adds a row while this transaction lasts.
    connection.execute(BEGIN_COUNT, {"table": table})
    last = connection.execute(COUNT_ON, {"table": table, "count": count}).scalar_one()
    return list(range(last - count + 1, last + 1))


# What a sequence is called is looked up once, and not for each number: that took six times as long.
NEXT = (
    "WITH counting AS MATERIALIZED ("
    "SELECT CAST(pg_get_serial_sequence(%(table)s, 'id') AS regclass) AS sequence) "
    "SELECT nextval(sequence) FROM counting, generate_series(1, %(count)s)"
)
BEGIN_COUNT = text(
    "INSERT INTO sqlite_sequence (name, seq) SELECT :table, 0"
    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :table)"
)
COUNT_ON = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :table RETURNING seq")


def tell(
    connection: Connection, lines: Iterable[tuple[Any, ...]], source: str, now: datetime
) -> None:
    """Append lines to the ledger: kind, primary, detail."""
    LINES.insert(
        connection,
        (
            (now, kind.value, source, primary, None, None, None, json.dumps(detail), True)
            for kind, primary, detail in lines
        ),
    )
