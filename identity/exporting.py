"""Customers out of the database, as CSV: one row a customer, or one row a contact.

Read from one snapshot in two streams that run side by side in the order of their indexes, so
that the first line is there at once and memory stays flat however many there are.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain, groupby, islice
from typing import Any

from sqlalchemy import Connection, func, select

from identity import database
from identity.clusters import Cluster, Member
from identity.models import Contact

CHUNK = 5_000
"""Rows that are fetched and written at a time."""


class What(StrEnum):
    """What a row of the export is."""

    CUSTOMERS = "customers"
    CONTACTS = "contacts"


HEADERS = {
    What.CUSTOMERS: (
        *("customer_id", "email", "phone_number", "other_emails", "other_phone_numbers"),
        *("contacts", "created_at"),
    ),
    What.CONTACTS: (
        *("contact_id", "customer_id", "link_precedence", "email", "phone_number", "created_at"),
    ),
}

_columns = Contact.id, Contact.linked_id, Contact.email, Contact.phone_number, Contact.created_at
PRIMARIES = (
    select(*_columns)
    .where(Contact.linked_id.is_(None))
    .order_by(Contact.id)
    .execution_options(yield_per=CHUNK)
)
SECONDARIES = (
    select(*_columns)
    .where(Contact.linked_id.is_not(None))
    .order_by(Contact.linked_id, Contact.created_at, Contact.id)
    .execution_options(yield_per=CHUNK)
)


def parts(what: What) -> Iterator[bytes]:
    """Yield the export as parts of a CSV file in UTF-8, the header by itself first."""
    yield _csv([HEADERS[what]])
    with database.snapshot() as connection:
        rows = _rows(what, clusters(connection))
        while chunk := list(islice(rows, CHUNK)):
            yield _csv(chunk)


def count(what: What) -> int:
    """Return how many rows there are to export."""
    counted = select(func.count()).select_from(Contact)
    if what is What.CUSTOMERS:
        counted = counted.where(Contact.linked_id.is_(None))
    return database.read(lambda connection: connection.scalar(counted)) or 0


def clusters(connection: Connection) -> Iterator[Cluster]:
    """Yield every customer, in the order of their ids. `connection` must show one moment."""
    # Asked for without an end in sight, PostgreSQL would sort all contacts before the first.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_sort = off")
    followers = groupby(connection.execute(SECONDARIES), key=lambda row: row.linked_id)
    linked_to, secondaries = next(followers, (None, iter(())))
    for primary in connection.execute(PRIMARIES):
        if linked_to == primary.id:
            yield Cluster.of(Member(*row) for row in chain([primary], secondaries))
            linked_to, secondaries = next(followers, (None, iter(())))
        else:
            yield Cluster.of([Member(*primary)])


def _rows(what: What, all_clusters: Iterable[Cluster]) -> Iterator[Sequence[Any]]:
    for cluster in all_clusters:
        if what is What.CONTACTS:
            yield from _contacts(cluster)
        else:
            yield _customer(cluster)


def _customer(cluster: Cluster) -> Sequence[Any]:
    # The primary may lack one of the two; then the oldest known is as good.
    emails, phone_numbers = [_safe(each) for each in cluster.emails], cluster.phone_numbers
    return (
        cluster.primary_id,
        *("; ".join(values) for values in (emails[:1], phone_numbers[:1])),
        *("; ".join(values) for values in (emails[1:], phone_numbers[1:])),
        len(cluster.members),
        cluster.primary.created_at.isoformat(),
    )


def _contacts(cluster: Cluster) -> Iterator[Sequence[Any]]:
    for member in cluster.members:
        yield (
            member.id,
            cluster.primary_id,
            member.precedence.value,
            member.email and _safe(member.email),
            member.phone_number,
            member.created_at.isoformat(),
        )


def _safe(email: str) -> str:
    # A spreadsheet would take such an address for a formula, and carry it out.
    return f"'{email}" if email.startswith(("=", "+", "-", "@")) else email


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
