"""What PostgreSQL knows of its tables, counted anew while they fill.

By these figures it chooses its ways, and it looks at a table that has grown once a minute. Until
then it goes by what was true before the import, also in plans that were made then and are kept.
SQLite needs none: without figures it uses every index there is.
"""

from contextlib import suppress

from sqlalchemy import Connection

from identity import database
from identity.database.connections import DRIVERS
from identity.errors import IdentityError
from identity.models import Claim, Contact, Event, Identifier, Reference

FIRST = 1_000
"""Claims from which it is worth counting: it takes some tenths of a second."""
AGAIN = 4
"""How many times as many there are when it is worth counting again."""
TABLES = Contact, Identifier, Claim, Event, Reference


class Figures:
    """Lets the tables be counted as an import goes on, and when it ends."""

    def __init__(self) -> None:
        self._counted = 0

    def brought(self, claims: int) -> None:
        """Hear how many claims there are by now."""
        if claims >= max(FIRST, AGAIN * self._counted):
            self._count(claims)

    def ended(self, claims: int) -> None:
        """Hear how many there are in the end."""
        if claims >= max(FIRST, self._counted + 1):
            self._count(claims)

    def _count(self, claims: int) -> None:
        self._counted = claims
        # Whoever may not count (who does not own the tables), or cannot now, imports all the same.
        with suppress(IdentityError, *DRIVERS):
            database.read(_analyze)


def _analyze(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        for model in TABLES:
            name = connection.dialect.identifier_preparer.format_table(model.table())
            connection.exec_driver_sql(f"ANALYZE {name}")
