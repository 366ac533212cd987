"""Many rows at once: questions about lists of values, and loading tables.

A question hands over its values as JSON, a thousand at a time, and joins them with a table.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Row,
    Select,
    Table,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from identity.database import UtcDateTime

ASKED = 1000
MOMENTS = 4096
"""Moments whose converted form is kept."""

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
        # One column needs no row around each value, which either database would have to unwrap.
        self._is_plain = len(columns) == 1

    def ask(self, connection: Connection, values: Iterable[Values]) -> Iterator[Row[*Values]]:
        """Yield the answers for `values`, in the order of the values and not twice for one."""
        statement = self._statement(connection.dialect.name)
        # Neighbours in an index are then asked for one after another.
        ahead = iter(sorted(set(values)))
        while chunk := list(islice(ahead, ASKED)):
            asked = [value for (value,) in chunk] if self._is_plain else chunk
            yield from connection.execute(statement, {"asked_values": asked})

    def _statement(self, dialect: str) -> Selected:
        if dialect not in self._statements:
            given = bindparam("asked_values", type_=JSON)
            cells = self._cells_postgresql if dialect == "postgresql" else self._cells_sqlite
            named = (
                cell.label(name) for cell, name in zip(cells(given), self._columns, strict=True)
            )
            self._statements[dialect] = self._build(select(*named).subquery("asked"))
        return self._statements[dialect]

    def _cells_postgresql(self, given: ColumnElement[Any]) -> Iterator[ColumnElement[Any]]:
        # Of these functions the planner expects a hundred rows, and so probes indexes. An
        # unnested array it would count, and for a thousand values read whole tables.
        unfold = func.json_array_elements_text if self._is_plain else func.json_array_elements
        value = unfold(given).table_valued("value").render_derived().c.value
        for place, kind in enumerate(self._columns.values()):
            yield cast(
                value if self._is_plain else value.op("->>")(literal_column(str(place))), kind
            )

    def _cells_sqlite(self, given: ColumnElement[Any]) -> Iterator[ColumnElement[Any]]:
        value = func.json_each(given).table_valued("value").c.value
        for place, kind in enumerate(self._columns.values()):
            cell = value if self._is_plain else func.json_extract(value, f"$[{place}]")
            yield type_coerce(cell, kind())


class Load:
    """Rows into a table: COPY on PostgreSQL, executemany on SQLite."""

    def __init__(self, table: Table, *columns: str) -> None:
        """Load those columns; the others get their defaults."""
        self._table = table
        self._columns = columns
        kinds = [table.c[name].type for name in columns]
        self._moments = [place for place, kind in enumerate(kinds) if isinstance(kind, UtcDateTime)]

    def insert(self, connection: Connection, rows: Iterable[Values]) -> None:
        """Insert `rows`, each in the order of the columns; what is JSON comes as text.

        Raises the driver's own errors; `database.retrying` knows those too.
        """
        driver: Any = connection.connection.driver_connection
        table, names = self._table.name, ", ".join(self._columns)
        if connection.dialect.name == "postgresql":
            with driver.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(self._columns))
            statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608
            driver.executemany(statement, self._spoken(rows, connection.dialect))

    def _spoken(self, rows: Iterable[Values], dialect: Dialect) -> Iterable[Sequence[Any]]:
        """Yield the rows as SQLite has them: it has no type for moments."""
        if not self._moments:
            return rows
        speak = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
        assert speak
        # Most rows of a load carry the same moment.
        moment = lru_cache(MOMENTS)(speak)
        places = self._moments

        def spoken(row: Values) -> Sequence[Any]:
            cells = list(row)
            for place in places:
                cells[place] = moment(cells[place])
            return cells

        return map(spoken, rows)
