"""Conditions by which a database looks into an index, whatever it believes of its tables."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, cast, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class is_value(FunctionElement[bool]):  # noqa: N801 - it is called like a function
    """The condition that a column has a value.

    On PostgreSQL it is said twice. Of an equality it expects what its figures say, and those from
    when two customers were all there were say that half of the table has the value: it would be
    read whole, for each call, until somebody counts again. Of a range it expects a two-hundredth,
    whatever the figures. SQLite takes an index at once, and a range in a join confuses it.
    """

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], value: ColumnElement[Any]) -> None:
        super().__init__(column, value)

    def self_group(self, against: Any = None) -> Any:
        """Return itself, in whatever it stands: compared with 1 it would lead to no index."""
        return self


@compiles(is_value)
def _once(element: is_value, compiler: Any, **more: Any) -> str:
    column, value = (compiler.process(each, **more) for each in element.clauses)
    return f"{column} = {value}"


@compiles(is_value, "postgresql")
def _twice(element: is_value, compiler: Any, **more: Any) -> str:
    column, value = (compiler.process(each, **more) for each in element.clauses)
    return f"({column} = {value} AND {column} BETWEEN {value} AND {value})"


def are_few(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return a condition that holds for all values that are asked about.

    PostgreSQL expects a hundred of whatever it is sent as JSON. With figures of its tables that are
    missing or old it reads them whole rather than look a hundred times. Of what is between two
    bounds it expects one in two hundred: here one, and it looks into an index for each.
    """
    length = func.length(cast(value, Text))
    return length.between(literal_column("0"), literal_column("1000000000"))
