"""Contacts by the million, written straight into the tables, as identify would have left them."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, insert, text

from identity.database import Base
from identity.models import Claim, Contact, Event, Identifier, Import, Reference

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
SOURCE = "environment"
"""Who told all of it: the callers of the benchmarks, so that their repeats are repeats."""
SIZES = (1,) * 70 + (2,) * 20 + (3,) * 7 + (5,) * 3
"""Contacts of a customer, each as often as it happens in a hundred customers."""

Row = tuple[int, int, int]
"""A contact's id, its primary's id, and the customer's number."""


def rows(contacts: int) -> Iterator[Row]:
    """Yield that many contacts, in the order of their ids."""
    chance = random.Random(1955)
    contact_id = customer = 0
    while contact_id < contacts:
        primary_id = contact_id + 1
        customer += 1
        for _ in range(min(chance.choice(SIZES), contacts - contact_id)):
            contact_id += 1
            yield contact_id, primary_id, customer


def identifiers_of(row: Row) -> tuple[str, str]:
    """Return a contact's email, its own, and its phone number, its customer's and a valid one."""
    contact_id, _, customer = row
    return f"customer{contact_id}@example.com", f"+1775{2_000_000 + customer}"


def fill(url: str, contacts: int, *, settle: bool = True) -> int:
    """Load that many contacts with their identifiers and claims into empty, migrated tables.

    Return the last id. Unless it is to `settle`, the database does not look at what it was given.
    """
    engine = create_engine(url)
    load = _copy if engine.dialect.name == "postgresql" else _executemany
    load(engine, Contact, ("id", "email", "phone_number", "linked_id", "link_precedence",
                           "created_at", "updated_at"), lambda: _contacts(contacts))  # fmt: skip
    load(engine, Identifier, ("kind", "value", "contact_id"), lambda: _identifiers(contacts))
    load(engine, Claim, ("id", "email", "phone_number", "source", "told_at", "dated_at",
                         "contact_id", "brought"), lambda: _claims(contacts))  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            # Claims are counted together with the lines of the ledger.
            for sequence in ("contact_id_seq", "event_id_seq"):
                setting = text(f"SELECT setval('{sequence}', :last)")
                connection.execute(setting, {"last": contacts})
            if settle:
                connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))
        else:
            counted = text("UPDATE sqlite_sequence SET seq = :last WHERE name = 'event'")
            connection.execute(counted, {"last": contacts})
            if settle:
                connection.execute(text("ANALYZE"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return contacts


def call(url: str, contacts: int) -> None:
    """Give every claim that `fill` loaded a reference and a name."""
    engine = create_engine(url)
    load = _copy if engine.dialect.name == "postgresql" else _executemany
    load(engine, Reference, ("claim_id", "reference", "name"), lambda: _references(contacts))
    engine.dispose()


def tell_history(url: str, contacts: int) -> None:
    """Tell of the contacts that `fill` loaded in the ledger, as of one import."""
    engine = create_engine(url)
    load = _copy if engine.dialect.name == "postgresql" else _executemany
    load(engine, Import, ("id", "file_name", "given_by", "given_at", "started_at", "finished_at",
                          "feed", "counts"), lambda: _imports(contacts, engine))  # fmt: skip
    load(engine, Event, ("id", "occurred_at", "kind", "source", "primary_id", "contact_id",
                         "email", "phone_number", "in_claims"),
         lambda: _events(contacts))  # fmt: skip
    engine.dispose()


def phone_number_of_size(size: int) -> str:
    """Return the phone number that all contacts of a customer of that size share."""
    return f"+49301{size:07}"


def add_customer(connection: Connection, last: int, size: int) -> None:
    """Add one customer of that many contacts, the ids beginning after `last`."""
    ids = range(last + 1, last + size + 1)
    phone_number = phone_number_of_size(size)
    emails = {contact_id: f"{contact_id}@large.example" for contact_id in ids}
    connection.execute(
        insert(Contact),
        [
            {
                "id": contact_id,
                "email": emails[contact_id],
                "phone_number": phone_number,
                "linked_id": None if contact_id == ids[0] else ids[0],
                "link_precedence": "primary" if contact_id == ids[0] else "secondary",
                "created_at": _moment(contact_id),
                "updated_at": _moment(contact_id),
            }
            for contact_id in ids
        ],
    )
    connection.execute(
        insert(Claim),
        [
            {
                "id": contact_id,
                "email": emails[contact_id],
                "phone_number": phone_number,
                "source": SOURCE,
                "told_at": _moment(contact_id),
                "dated_at": _moment(contact_id),
                "contact_id": contact_id,
                "brought": "email",
            }
            for contact_id in ids
        ],
    )
    held = [("phone", phone_number, ids[0]), *(("email", emails[id_], id_) for id_ in ids)]
    connection.execute(
        insert(Identifier),
        [{"kind": kind, "value": value, "contact_id": id_} for kind, value, id_ in held],
    )


def _moment(contact_id: int) -> datetime:
    return BEGINNING + timedelta(seconds=contact_id)


def _contacts(contacts: int) -> Iterator[tuple[Any, ...]]:
    for row in rows(contacts):
        contact_id, primary_id, _ = row
        first = contact_id == primary_id
        yield (contact_id, *identifiers_of(row), None if first else primary_id,
               "primary" if first else "secondary", _moment(contact_id),
               _moment(contact_id))  # fmt: skip


def _identifiers(contacts: int) -> Iterator[tuple[Any, ...]]:
    for row in rows(contacts):
        email, phone_number = identifiers_of(row)
        yield "email", email, row[0]
        if row[0] == row[1]:
            yield "phone", phone_number, row[0]


def _claims(contacts: int) -> Iterator[tuple[Any, ...]]:
    for row in rows(contacts):
        moment = _moment(row[0])
        yield row[0], *identifiers_of(row), SOURCE, moment, moment, row[0], "email"


def _references(contacts: int) -> Iterator[tuple[Any, ...]]:
    for contact_id, _, customer in rows(contacts):
        first = ("Emmett", "Marty", "Lorraine", "Jennifer", "Clara")[customer % 5]
        yield contact_id, f"cus_{contact_id}", f"{first} Brown {customer % 1000}"


def _imports(contacts: int, engine: Engine) -> Iterator[tuple[Any, ...]]:
    counts: Any = {"rows": contacts, "customers": contacts, "contacts": contacts}
    if engine.dialect.name == "postgresql":
        # COPY takes text.
        counts = json.dumps(counts)
    yield (1, "customers.csv", "Doc", BEGINNING, BEGINNING, _moment(contacts), "feed:plain", counts)


def _events(contacts: int) -> Iterator[tuple[Any, ...]]:
    for row in rows(contacts):
        contact_id, primary_id, _ = row
        kind = "contact_created" if contact_id == primary_id else "contact_linked"
        yield (contact_id, _moment(contact_id), kind, "import:1", primary_id, contact_id,
               *identifiers_of(row), True)  # fmt: skip


Rows = Callable[[], Iterator[tuple[Any, ...]]]


def _copy(engine: Engine, table: type[Base], columns: tuple[str, ...], values: Rows) -> None:
    connection = engine.raw_connection()
    name = table.table().name
    with connection.cursor().copy(f'COPY "{name}" ({", ".join(columns)}) FROM STDIN') as copy:
        for row in values():
            copy.write_row(row)
    connection.commit()
    connection.close()


def _executemany(engine: Engine, table: type[Base], columns: tuple[str, ...], values: Rows) -> None:
    with engine.connect() as connection:
        chunk: list[dict[str, Any]] = []
        for row in values():
            chunk.append(dict(zip(columns, row, strict=True)))
            if len(chunk) == 50_000:
                connection.execute(insert(table), chunk)
                chunk = []
        if chunk:
            connection.execute(insert(table), chunk)
        connection.commit()
