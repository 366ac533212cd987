"""Customers out of the database, as CSV for spreadsheets: one row a customer, or one a contact.

Read from one snapshot in streams that run side by side in the order of the customers, so that
memory stays flat however many there are. Not a copy: it says how customers stand, and not why.
What brings everything back is in `copying`.
"""

import csv
import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from enum import StrEnum
from itertools import chain, groupby, islice
from typing import Any

from sqlalchemy import Connection, func, select

from identity import database, naming
from identity.clusters import Cluster, Member
from identity.evidence import Named
from identity.formulas import guarded
from identity.models import Contact
from identity.naming import Naming

CHUNK = 5_000
"""Rows that are fetched and written at a time."""


class What(StrEnum):
    """What a row of the export is."""

    CUSTOMERS = "customers"
    CONTACTS = "contacts"


HEADERS = {
    What.CUSTOMERS: (
        *("customer_id", "email", "phone_number", "other_emails", "other_phone_numbers"),
        *("contacts", "created_at", "references", "names"),
    ),
    What.CONTACTS: (
        *("contact_id", "customer_id", "link_precedence", "email", "phone_number", "created_at"),
        *("references", "names"),
    ),
}
"""Readers go by these names, and by their places: what is new comes last."""
KNOWN_BY = {What.CUSTOMERS: 7, What.CONTACTS: 6}
"""How many of them any export from here has had."""

_columns = Contact.id, Contact.linked_id, Contact.email, Contact.phone_number, Contact.created_at
PRIMARIES = (
    select(*_columns)
    .where(Contact.linked_id.is_(None), Contact.deleted_at.is_(None))
    .order_by(Contact.id)
    .execution_options(yield_per=CHUNK)
)
SECONDARIES = (
    select(*_columns)
    .where(Contact.linked_id.is_not(None), Contact.deleted_at.is_(None))
    .order_by(Contact.linked_id, Contact.created_at, Contact.id)
    .execution_options(yield_per=CHUNK)
)
Customer = tuple[Cluster, Sequence[Naming]]


def parts(what: What) -> Iterator[bytes]:
    """Yield the export as parts of a CSV file in UTF-8, the header by itself first."""
    yield as_csv([HEADERS[what]]).encode()
    # Whoever takes it may go away: what is still being read ends before its connection does.
    with (
        database.long_snapshot() as connection,
        closing(_rows(what, customers(connection))) as rows,
    ):
        while chunk := list(islice(rows, CHUNK)):
            yield as_csv(chunk).encode()


def count(what: What) -> int:
    """Return how many rows there are to export."""
    counted = select(func.count()).where(Contact.deleted_at.is_(None))
    if what is What.CUSTOMERS:
        counted = counted.where(Contact.linked_id.is_(None))
    return database.read(lambda connection: connection.scalar(counted)) or 0


def wrote(header: Sequence[str]) -> bool:
    """Tell whether a file with that header was exported here, now or by a version before."""
    return any(tuple(header[:many]) == HEADERS[what][:many] for what, many in KNOWN_BY.items())


def customers(connection: Connection) -> Iterator[Customer]:
    """Yield every customer with what the sources call them. `connection` must show one moment."""
    # Asked before the planner is told below not to sort: this must be sorted.
    namings = naming.of_all(connection)
    primary_id, named = next(namings, (None, iter(())))
    for cluster in clusters(connection):
        if cluster.primary_id == primary_id:
            yield cluster, list(named)
            primary_id, named = next(namings, (None, iter(())))
        else:
            yield cluster, ()


def clusters(connection: Connection) -> Iterator[Cluster]:
    """Yield every customer, in the order of their ids. `connection` must show one moment."""
    # Asked for without an end in sight, PostgreSQL would sort all contacts before the first.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_sort = off")
        # What it has left looks so dear then that it would be compiled first.
        connection.exec_driver_sql("SET LOCAL jit = off")
    with connection.execute(SECONDARIES) as linked, connection.execute(PRIMARIES) as primaries:
        followers = groupby(linked, key=lambda row: row.linked_id)
        linked_to, secondaries = next(followers, (None, iter(())))
        for primary in primaries:
            if linked_to == primary.id:
                yield Cluster.of(Member(*row) for row in chain([primary], secondaries))
                linked_to, secondaries = next(followers, (None, iter(())))
            else:
                yield Cluster.of([Member(*primary)])


def _rows(what: What, all_customers: Iterable[Customer]) -> Generator[Sequence[Any]]:
    for cluster, namings in all_customers:
        if what is What.CONTACTS:
            yield from _contacts(cluster, namings)
        else:
            yield _customer(cluster, namings)


def _customer(cluster: Cluster, namings: Iterable[Naming]) -> Sequence[Any]:
    # The primary may lack one of the two; then the oldest known is as good.
    emails, phone_numbers = [guarded(each) for each in cluster.emails], cluster.phone_numbers
    return (
        cluster.primary_id,
        *("; ".join(values) for values in (emails[:1], phone_numbers[:1])),
        *("; ".join(values) for values in (emails[1:], phone_numbers[1:])),
        len(cluster.members),
        cluster.primary.created_at.isoformat(),
        *_called(each.named for each in namings),
    )


def _contacts(cluster: Cluster, namings: Iterable[Naming]) -> Iterator[Sequence[Any]]:
    called = naming.by_contact(cluster, namings)
    for member in cluster.members:
        yield (
            member.id,
            cluster.primary_id,
            member.precedence.value,
            member.email and guarded(member.email),
            member.phone_number,
            member.created_at.isoformat(),
            *_called(called.get(member.id, ())),
        )


def _called(named: Iterable[Named]) -> tuple[str, str]:
    """Return the references, each with who calls it so, and the names."""
    each = list(dict.fromkeys(named))
    references = dict.fromkeys(f"{it.reference} ({it.source})" for it in each if it.reference)
    names = dict.fromkeys(it.name for it in each if it.name)
    return "; ".join(map(guarded, references)), "; ".join(map(guarded, names))


def as_csv(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as lines of CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
