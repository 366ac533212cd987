"""Where orders are added up: a database of this moment, which nobody else can open.

It has no name in any folder, and is gone with whoever made it. Memory does not grow with the
orders, and whatever an order is counted twice by (two files, two lines) is seen here.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple, Self

from identity.errors import InvalidInput

TOO_MUCH = "The amounts of the orders are larger than money comes in: they cannot be added up."
_TABLES = """
CREATE TABLE met (key TEXT PRIMARY KEY, file INTEGER, left_out TEXT, currency TEXT, units INTEGER,
    email TEXT, phone TEXT) WITHOUT ROWID;
CREATE TABLE known (value TEXT PRIMARY KEY, customer INTEGER) WITHOUT ROWID;
"""
# Of an order in two files the later one tells what became of it. Within one file it is the first
# line that has all of it.
_ADD = """
INSERT INTO met VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET file = excluded.file, left_out = excluded.left_out,
    currency = excluded.currency, units = excluded.units, email = excluded.email,
    phone = excluded.phone
WHERE excluded.file > met.file
"""
_VALUES = """
SELECT DISTINCT email, NULL FROM met WHERE left_out IS NULL AND email IS NOT NULL
UNION ALL SELECT DISTINCT NULL, phone FROM met WHERE left_out IS NULL AND phone IS NOT NULL
"""
# What links nobody is known, and nobody's: it counts as not given. A person who is not on record
# is whom the order names.
_ADD_UP = """
CREATE TABLE ordered AS
SELECT currency, units, record,
    CASE WHEN record IS NULL THEN NULL WHEN customer IS NULL THEN record ELSE '#' || customer END
    AS person, customer
FROM (
    SELECT currency, units, coalesce(mail.customer, number.customer) AS customer, coalesce(
            CASE WHEN mail.value IS NULL OR mail.customer IS NOT NULL THEN email END,
            CASE WHEN number.value IS NULL OR number.customer IS NOT NULL THEN phone END
        ) AS record
    FROM met LEFT JOIN known AS mail ON mail.value = email
    LEFT JOIN known AS number ON number.value = phone
    WHERE left_out IS NULL
);
CREATE TABLE records AS
SELECT currency, record, count(*) AS orders, sum(units) AS units,
    rank() OVER (PARTITION BY currency ORDER BY sum(units) DESC) AS place
FROM ordered WHERE record IS NOT NULL GROUP BY currency, record;
CREATE UNIQUE INDEX of_record ON records (currency, record);
CREATE TABLE called AS
SELECT currency, person, customer, record, count(*) AS orders, sum(units) AS units
FROM ordered WHERE person IS NOT NULL GROUP BY currency, person, record;
CREATE INDEX of_person ON called (currency, person);
CREATE TABLE people AS
SELECT currency, person, customer, sum(orders) AS orders, sum(units) AS units,
    count(*) AS many, max(orders) AS most,
    rank() OVER (PARTITION BY currency ORDER BY sum(units) DESC) AS place
FROM called GROUP BY currency, person;
"""


class Person(NamedTuple):
    """Somebody who ordered."""

    person: str
    customer: int | None
    """None for somebody who is not on record."""
    place: int
    orders: int
    units: int


class Till:
    """The orders of some files, and what they add up to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(_TABLES)

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Self]:
        """Give an empty one, until the block ends."""
        # Named by nothing, it is a file that SQLite takes out of its folder at once.
        with closing(sqlite3.connect("", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA temp_store = FILE")
            yield cls(connection)

    def add(self, orders: Iterable[tuple[Any, ...]]) -> None:
        """Add orders: key, file, why it is left out, currency, units, email, phone number."""
        self._connection.execute("BEGIN")
        self._connection.executemany(_ADD, orders)
        self._connection.execute("COMMIT")

    def values(self) -> Iterator[tuple[str | None, str | None]]:
        """Yield each email and each phone number of orders that count, one of the two a time."""
        yield from self._connection.execute(_VALUES)

    def know(self, values: Iterable[tuple[str, int | None]]) -> None:
        """Add whose customer's a value is; None for one that links nobody, or was erased."""
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO known VALUES (?, ?)", values)
        self._connection.execute("COMMIT")

    def add_up(self) -> None:
        """Add up, once all orders and values are there. Raise `InvalidInput`."""
        try:
            self._connection.executescript(_ADD_UP)
        except sqlite3.DatabaseError as problem:
            if "overflow" not in str(problem):
                raise
            raise InvalidInput(TOO_MUCH) from None

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return what a statement about `ordered`, `records`, `people` or `called` selects."""
        return self._connection.execute(statement, values).fetchall()

    def one(self, statement: str, **values: Any) -> tuple[int, ...]:
        """Return the one row of such a statement, as numbers."""
        return tuple(each or 0 for each in self._connection.execute(statement, values).fetchone())

    def left_out(self) -> Mapping[str, int]:
        """Return how many orders do not count, and why."""
        return dict(
            self.rows("SELECT left_out, count(*) FROM met WHERE left_out IS NOT NULL GROUP BY 1")
        )
