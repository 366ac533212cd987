"""Many rows at once: questions about lists of values, changes of them, and loading tables.

A question hands over its values as JSON, a thousand at a time, and joins them with a table. So
does a change.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
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
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

from identity.database import UtcDateTime
from identity.moments import spoken
from identity.prepared import Prepared
from identity.probing import are_few

ASKED = 1000
MANY = 10_000
"""Values that are handed over at once by whoever asks about so many that each journey counts."""
FEW = 20
"""Rows up to which PostgreSQL is sent inserts: beginning a COPY takes as long."""

Values = tuple[Any, ...]
Selected = Select[*Values]
S = TypeVar("S", Selected, UpdateBase)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Let Python's collector rest until the block ends, which must be bounded work.

    It would walk through all the rows again and again and find nothing: up to half of the time.
    """
    # Somebody around this block may have let it rest already, for longer.
    rests = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not rests:
            gc.enable()


class _Joined(Generic[S]):
    """A statement that is joined with values, which stand in it as a table of their own."""

    def __init__(self, build: Callable[[FromClause], S], **columns: type[TypeEngine[Any]]) -> None:
        """`build` is given the table of values, with those columns, and returns the statement."""
        self._build: Callable[[FromClause], S] = build
        self._columns = columns
        self._statements: dict[str, S] = {}
        self._prepared: dict[str, Prepared] = {}
        # One column needs no row around each value, which either database would have to unwrap.
        self._is_plain = len(columns) == 1

    def _statement(self, dialect: str) -> S:
        if dialect not in self._statements:
            given = bindparam("asked_values", type_=JSON)
            asked = self._asked_postgresql if dialect == "postgresql" else self._asked_sqlite
            self._statements[dialect] = self._build(asked(given).subquery("asked"))
        return self._statements[dialect]

    def _handed(self, values: Iterable[Values]) -> Iterable[Any]:
        return (value for (value,) in values) if self._is_plain else values

    def _asked_postgresql(self, given: ColumnElement[Any]) -> Selected:
        unfold = func.json_array_elements_text if self._is_plain else func.json_array_elements
        value = unfold(given).table_valued("value").render_derived().c.value
        cells = [
            cast(value if self._is_plain else value.op("->>")(literal_column(str(place))), kind)
            for place, kind in enumerate(self._columns.values())
        ]
        return self._named(cells).where(are_few(value))

    def _asked_sqlite(self, given: ColumnElement[Any]) -> Selected:
        value = func.json_each(given).table_valued("value").c.value
        cells = [
            type_coerce(value if self._is_plain else func.json_extract(value, f"$[{place}]"), kind)
            for place, kind in enumerate(self._columns.values())
        ]
        return self._named(cells)

    def _named(self, cells: Sequence[ColumnElement[Any]]) -> Selected:
        return select(*map(ColumnElement.label, cells, self._columns))


def _chunks(values: Iterable[Any], size: int = ASKED) -> Iterator[list[Any]]:
    ahead = iter(values)
    while chunk := list(islice(ahead, size)):
        yield chunk


class Question(_Joined[Selected]):
    """A select about values."""

    def ask(
        self, connection: Connection, values: Iterable[Values], **more: Any
    ) -> Iterator[Row[*Values]]:
        """Yield the answers for `values`, in the order of the values and not twice for one."""
        statement = self._statement(connection.dialect.name)
        # Neighbours in an index are then asked for one after another.
        for asked in _chunks(sorted(set(self._handed(values)))):
            # All at once: one row after another takes twice as long.
            yield from connection.execute(statement, {"asked_values": asked, **more}).all()

    def ask_plainly(self, connection: Connection, values: Iterable[Values]) -> Iterator[Values]:
        """Yield the answers as the driver has them: of many rows in half of the time.

        What is a moment `heard` turns into one. Raises the driver's own errors, as `Load` does.
        """
        dialect = connection.dialect.name
        if dialect not in self._prepared:
            self._prepared[dialect] = Prepared(self._statement(dialect))
        for asked in _chunks(sorted(set(self._handed(values))), MANY):
            yield from self._prepared[dialect].plain_rows(connection, {"asked_values": asked})


class Change(_Joined[UpdateBase]):
    """An update or a delete of the rows that values name."""

    def make(self, connection: Connection, rows: Iterable[Values], **more: Any) -> None:
        """Change the rows named by `rows`. What is a moment comes as `spoken` returns it."""
        statement = self._statement(connection.dialect.name)
        for asked in _chunks(self._handed(rows)):
            connection.execute(statement, {"asked_values": asked, **more})


class Load:
    """Rows into a table: COPY on PostgreSQL, executemany on SQLite."""

    def __init__(self, table: Table, *columns: str) -> None:
        """Load those columns; the others get their defaults."""
        self._table = table
        self._columns = columns
        kinds = [table.c[name].type for name in columns]
        self._moments = [place for place, kind in enumerate(kinds) if isinstance(kind, UtcDateTime)]
        names, places = ", ".join(columns), ", ".join("?" * len(columns))
        self._copy = f"COPY {table.name} ({names}) FROM STDIN"
        self._insert = f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608

    def insert_lines(self, connection: Connection, lines: Sequence[str]) -> None:
        """Copy rows into PostgreSQL that are in the form of COPY already, a line each."""
        driver: Any = connection.connection.driver_connection
        if lines:
            with driver.cursor().copy(self._copy) as copy:
                for place in range(0, len(lines), ASKED):
                    copy.write("".join(lines[place : place + ASKED]))

    def insert(self, connection: Connection, rows: Iterable[Values]) -> None:
        """Insert `rows`, each in the order of the columns; what is JSON comes as text.

        Raises the driver's own errors; `database.retrying` knows those too.
        """
        driver: Any = connection.connection.driver_connection
        rows = iter(rows)
        first = list(islice(rows, FEW))
        on_postgresql = connection.dialect.name == "postgresql"
        if on_postgresql and len(first) == FEW:
            with driver.cursor().copy(self._copy) as copy:
                for row in chain(first, rows):
                    copy.write_row(row)
        elif first:
            statement = self._insert.replace("?", "%s") if on_postgresql else self._insert
            values = first if on_postgresql else self._spoken(chain(first, rows), connection)
            driver.cursor().executemany(statement, values)

    def _spoken(self, rows: Iterable[Values], connection: Connection) -> Iterable[Sequence[Any]]:
        """Yield the rows as SQLite has them: it has no type for moments."""
        if not self._moments:
            return rows
        moment = spoken(connection.dialect)
        places = self._moments

        def cells_of(row: Values) -> Sequence[Any]:
            cells = list(row)
            for place in places:
                if cells[place] is not None:
                    cells[place] = moment(cells[place])
            return cells

        return map(cells_of, rows)
