"""Rows whose keys somebody else may have taken first."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Integer, Table

from identity.errors import LostRace

TAKEN = 10_000
"""Rows whose keys are taken by one statement."""
TAKEN_FIRST = "somebody else took one of the keys first"
Values = tuple[Any, ...]


class Taking:
    """Rows of texts and numbers whose keys somebody else may have taken.

    The database is not left to refuse such a row: it would write the key, somebody's email, into
    its log.
    """

    def __init__(self, table: Table, *columns: str, unless: str = "") -> None:
        """Insert those columns; the others get their defaults.

        `unless` is a select, with `?` where it is given something: when it finds anything, nothing
        is inserted.
        """
        into = f"INSERT INTO {table.name} ({', '.join(columns)})"
        arrays = ", ".join(
            "%b::bigint[]" if isinstance(table.c[name].type, Integer) else "%b::text[]"
            for name in columns
        )
        places = ", ".join("?" * len(columns))
        unless_taken = "ON CONFLICT DO NOTHING"
        where = f"WHERE NOT EXISTS ({unless})" if unless else "WHERE true"
        self._postgresql = (
            f"{into} SELECT * FROM unnest({arrays}) "  # noqa: S608
            f"{where.replace('?', '%b')} {unless_taken}"
        )
        self._sqlite = f"{into} SELECT {places} {where} {unless_taken}"
        if not unless:
            self._sqlite = f"{into} VALUES ({places}) {unless_taken}"

    def insert(self, connection: Connection, rows: Iterable[Values], *given: int) -> None:
        """Insert `rows`, each in the order of the columns, unless there is what was `given`.

        Raise `LostRace` when a key is taken; others may be written then, so the transaction must
        end without a commit. Otherwise as `Load.insert`.
        """
        driver: Any = connection.connection.driver_connection
        ahead = iter(rows)
        while chunk := list(islice(ahead, TAKEN)):
            cursor = driver.cursor()
            if connection.dialect.name == "postgresql":
                columns = zip(*chunk, strict=True)
                cursor.execute(self._postgresql, [*(list(column) for column in columns), *given])
            else:
                rows_given = [(*row, *given) for row in chunk] if given else chunk
                cursor.executemany(self._sqlite, rows_given)
            if cursor.rowcount < len(chunk):
                raise LostRace(TAKEN_FIRST)
