"""What customers spent, as the records that the orders name and as the people they are.

Files of orders are read as an import reads them, and nothing of them is stored.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, FromClause, Text, and_, func, select
from sqlalchemy.orm import aliased

from identity import database, forgetting
from identity.bulk import Question, Selected
from identity.duplicates import ranking
from identity.duplicates.orders import OrderReader, Unclear
from identity.duplicates.till import Till
from identity.identifiers import email_value, phone_value
from identity.importing.files import CustomerFile
from identity.importing.opening.wording import shown
from identity.importing.rows import NOTHING, Read
from identity.importing.run import Source
from identity.models import Contact, Identifier

CHUNK = 5_000
"""Orders that are read at a time: memory must not grow with the files."""
LINES = 5
"""Lines of each kind of doubt that are named."""
Heard = Callable[[int], None]
"""Told how many more lines are read."""


class _Doubts:
    """Lines that were not understood, by why."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, reason: str, line: str) -> None:
        self._counts[reason] = self._counts.get(reason, 0) + 1
        lines = self._lines.setdefault(reason, [])
        if len(lines) < LINES:
            lines.append(line)

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"reason": reason, "orders": count, "lines": self._lines[reason]}
            for reason, count in sorted(self._counts.items(), key=lambda each: -each[1])
        ]


@database.unhurried()
def add_up(files: Sequence[CustomerFile], region: str | None, heard: Heard) -> dict[str, Any]:
    """Return what the orders of those files come to, for records and for people.

    Raise `InvalidInput` when one is no file of orders, and `Unavailable`.
    """
    readers = [OrderReader(file) for file in files]
    doubts = _Doubts()
    with Till.opened() as till:
        for number, (file, reader) in enumerate(zip(files, readers, strict=True)):
            mark = f"{shown(file.name)}, line " if len(files) > 1 else ""
            orders = _orders(number, Source(file, region), reader, doubts, mark, heard)
            while chunk := list(islice(orders, CHUNK)):
                till.add(chunk)
        with database.lookups() as connection:
            till.know(_known(connection, till))
            till.add_up()
            ranked = ranking.of(till, lambda customer: _emails_of(connection, customer))
        return {
            "files": [{"name": shown(file.name), "rows": file.count} for file in files],
            "left_out": till.left_out(),
            "doubts": doubts.as_json(),
            **ranked,
        }


def _orders(
    number: int, source: Source, reader: OrderReader, doubts: _Doubts, mark: str, heard: Heard
) -> Iterator[tuple[Any, ...]]:
    people = source.reader()
    for line, cells in source.file.rows():
        heard(1)
        said = people.read(line, cells)
        if untrusted := _untrusted(said):
            doubts.add(untrusted, f"{mark}{line}")
            continue
        try:
            order = reader.read(cells)
        except Unclear as problem:
            doubts.add(str(problem), f"{mark}{line}")
            continue
        if order is not None:
            who = said.calls[0][:2] if said.calls else (None, None)
            yield (order.key, number, order.left_out, order.currency, order.units, *who)


def _untrusted(said: Read) -> str:
    """Return why a line is not to be trusted at all; "" when it is."""
    if said.calls:
        return ""
    return next((str(d) for d in said.doubts if not d.column and d.reason != NOTHING), "")


def _known(connection: Connection, till: Till) -> Iterator[tuple[str, int | None]]:
    values = (
        email_value(email) if email else phone_value(str(phone)) for email, phone in till.values()
    )
    while chunk := list(islice(values, CHUNK)):
        erased = forgetting.remembered(connection, chunk)
        asked = ((value.kind.value, value.text) for value in chunk if value not in erased)
        for row in CUSTOMERS.ask(connection, asked):
            yield row[0], row[1]
        # Whoever asked to be forgotten is nobody, and nobody is to import them.
        yield from ((value.text, None) for value in erased)


def _customers(asked: FromClause) -> Selected:
    return (
        select(Identifier.value, func.coalesce(Contact.linked_id, Contact.id))
        .select_from(asked)
        .join(
            Identifier,
            and_(Identifier.kind == asked.c.kind, Identifier.value == asked.c.value),
        )
        .outerjoin(Contact, Contact.id == Identifier.contact_id)
    )


CUSTOMERS = Question(_customers, kind=Text, value=Text)
"""The customer of each value that is on record; none for one that links nobody."""


def _emails_of(connection: Connection, customer: int) -> int:
    """Return how many emails a customer has."""
    one = aliased(Contact)
    each = select(one.email).where(one.id == customer, one.deleted_at.is_(None)).union(
        select(Contact.email).where(Contact.linked_id == customer, Contact.deleted_at.is_(None))
    ).subquery()  # fmt: skip
    return connection.scalar(select(func.count(each.c.email))) or 0
