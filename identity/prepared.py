"""The few statements that every call depends on, sent straight through the driver.

SQLAlchemy builds each statement and knows how its types travel. Executing it costs a fifth
to a quarter of a repeat call, for features that these statements do not use (the figures are in
benchmarks/RESULTS.md), so they are compiled once and go around that part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select
from sqlalchemy.types import TypeEngine

Convert = Callable[[Any], Any]
Statement = Select[*tuple[Any, ...]] | Insert


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement as one kind of database wants it."""

    text: str
    parameters: list[tuple[str, Convert | None]]
    constants: dict[str, Any]
    """What the statement brings itself."""
    by_position: bool
    columns: list[tuple[int, Convert]]
    """Where the columns stand that do not arrive as Python wants them, and what they need."""


class Prepared:
    """A statement with named parameters, compiled once for each kind of database."""

    def __init__(self, statement: Statement | Callable[[], Statement]) -> None:
        """Take a statement, or what builds it once it is needed."""
        self._given = statement
        self._forms: dict[str, _Form] = {}

    @cached_property
    def statement(self) -> Statement:
        """The statement."""
        return self._given() if callable(self._given) else self._given

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Execute with `values`, which may hold more than is needed, and return all rows.

        Raises the driver's own errors; `database.retrying` knows those too.
        """
        form = self._form(connection.dialect)
        rows = [list(row) for row in self._execute(form, connection, values).fetchall()]
        for index, convert in form.columns:
            for row in rows:
                row[index] = convert(row[index])
        return rows

    def plain_rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Return all rows as the driver has them, which may be otherwise than Python wants them."""
        done = self._execute(self._form(connection.dialect), connection, values)
        rows: list[Any] = done.fetchall()
        return rows

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute a statement that returns no rows, and return how many it changed."""
        done = self._execute(self._form(connection.dialect), connection, values)
        return int(done.rowcount)

    def _execute(self, form: _Form, connection: Connection, values: Mapping[str, Any]) -> Any:
        driver: Any = connection.connection.driver_connection
        values = {**form.constants, **values} if form.constants else values
        given = [
            (name, convert(values[name]) if convert else values[name])
            for name, convert in form.parameters
        ]
        parameters = [value for _, value in given] if form.by_position else dict(given)
        return driver.execute(form.text, parameters)

    def _form(self, dialect: Dialect) -> _Form:
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = _compile(self.statement, dialect)
        return form


def _compile(statement: Statement, dialect: Dialect) -> _Form:
    compiled: Any = statement.compile(dialect=dialect)
    outward = {
        name: _as_spoken(bind.type, dialect).bind_processor(dialect)
        for name, bind in compiled.binds.items()
    }
    inward = [
        _as_spoken(column.type, dialect).result_processor(dialect, None)
        for column in statement.exported_columns
    ]
    by_position = bool(compiled.positional)
    names = compiled.positiontup if by_position else compiled.binds
    return _Form(
        str(compiled),
        [(name, outward[name]) for name in names],
        {name: bind.value for name, bind in compiled.binds.items() if not bind.required},
        by_position,
        [(index, convert) for index, convert in enumerate(inward) if convert],
    )


def _as_spoken(type_: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return type_.dialect_impl(dialect)
