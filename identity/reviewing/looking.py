"""The connection by which findings are looked for and shown."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from identity import database


@contextmanager
def looking() -> Iterator[Connection]:
    """Give a connection that sees one moment, and on which every question uses its indexes.

    Raise `Unavailable` when the database goes away meanwhile.
    """
    with database.snapshot() as connection:
        if connection.dialect.name == "postgresql":
            # What the planner knows of a table is old after an import, or nothing at all. Each
            # question here is about values that an index finds, and reading a whole table instead
            # takes a hundred times as long.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL jit = off")
        yield connection
