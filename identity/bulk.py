"""Many rows at once: questions about lists of values, and loading tables.

A question takes a thousand values at a time and joins them with a table, which both databases
answer from their indexes; asked more at once, PostgreSQL reads the whole table instead.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Dialect,
    FromClause,
    Row,
    Select,
    Table,
    bindparam,
    func,
    select,
)
from sqlalchemy.types import TypeEngine

from identity.database import UtcDateTime

ASKED = 1000
MOMENTS = 4096
"""Values whose converted form is kept: most rows of a load carry the same moment."""

Values = tuple[Any, ...]
Selected = Select[*Values]


class Question:
    """A select that is joined with values, which stand in it as a table of their own."""

    def __init__(
        self, build: Callable[[FromClause], Selected], **columns: type[TypeEngine[Any]]
    ) -> None:
        """`build` is given the table of values, with those columns, and returns the select."""
        self._build = build
        self._columns = columns
        self._statements: dict[str, Selected] = {}

    def ask(self, connection: Connection, values: Iterable[Values]) -> Iterator[Row[*Values]]:
        """Yield the answers for `values`, in the order of the values and not twice for one."""
        # Neighbours in an index are then asked for one after another.
        ahead = iter(sorted(set(values)))
        while chunk := list(islice(ahead, ASKED)):
            yield from connection.execute(*self._statement(connection.dialect.name, chunk))

    def _statement(self, dialect: str, chunk: list[Values]) -> tuple[Selected, dict[str, Any]]:
        postgresql = dialect == "postgresql"
        if dialect not in self._statements:
            asked = self._unnested() if postgresql else self._from_json()
            self._statements[dialect] = self._build(asked)
        if not postgresql:
            return self._statements[dialect], {"asked_values": json.dumps(chunk)}
        lists = zip(*chunk, strict=True)
        names = (f"asked_{name}" for name in self._columns)
        return self._statements[dialect], dict(zip(names, map(list, lists), strict=True))

    def _unnested(self) -> FromClause:
        arrays = [bindparam(f"asked_{name}", type_=ARRAY(kind)) for name, kind in self._each()]
        return func.unnest(*arrays).table_valued(*self._columns).render_derived("asked")

    def _from_json(self) -> FromClause:
        rows = func.json_each(bindparam("asked_values")).table_valued("value")
        columns = [
            func.json_extract(rows.c.value, f"$[{index}]", type_=kind).label(name)
            for index, (name, kind) in enumerate(self._each())
        ]
        return select(*columns).subquery("asked")

    def _each(self) -> list[tuple[str, TypeEngine[Any]]]:
        return [(name, kind()) for name, kind in self._columns.items()]


class Load:
    """Rows into a table: COPY on PostgreSQL, executemany on SQLite."""

    def __init__(self, table: Table, *columns: str) -> None:
        """Load those columns; the others get their defaults."""
        self._table = table
        self._columns = columns

    def insert(self, connection: Connection, rows: Iterable[Values]) -> None:
        """Insert `rows`, each in the order of the columns.

        Raises the driver's own errors; `database.retrying` knows those too.
        """
        converters = self._converters(connection.dialect)
        prepared = (
            [convert(v) if convert else v for convert, v in zip(converters, row, strict=True)]
            for row in rows
        )
        driver: Any = connection.connection.driver_connection
        table, names = self._table.name, ", ".join(self._columns)
        if connection.dialect.name == "postgresql":
            with driver.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in prepared:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(self._columns))
            statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608
            driver.executemany(statement, prepared)

    def _converters(self, dialect: Dialect) -> list[Callable[[Any], Any] | None]:
        converters: list[Callable[[Any], Any] | None] = []
        for kind in (self._table.c[name].type for name in self._columns):
            convert = kind.dialect_impl(dialect).bind_processor(dialect)
            if convert and isinstance(kind, UtcDateTime):
                convert = lru_cache(MOMENTS)(convert)
            converters.append(convert)
        return converters
