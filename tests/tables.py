"""What stands in the tables, and how a test begins with nothing in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from identity.database import Base, db
from identity.models import (
    Change,
    Claim,
    Contact,
    Event,
    Feed,
    Identifier,
    KeptApart,
    Reference,
    Ruling,
    Withdrawal,
)

State = tuple[Any, ...]
PAIRS = (
    select(Claim.email, Claim.phone_number)
    .where(Claim.email.is_not(None), Claim.phone_number.is_not(None))
    .distinct()
)


def empty() -> None:
    """Take everything about customers out of the tables."""
    with db.engine.begin() as connection:
        for table in (
            Change,
            Feed,
            Event,
            KeptApart,
            Withdrawal,
            Reference,
            Claim,
            Ruling,
            Identifier,
        ):
            connection.execute(delete(table))
        connection.execute(delete(Contact).where(Contact.linked_id.is_not(None)))
        connection.execute(delete(Contact))


def state() -> State:
    """Return everything that is stored, ids apart: clusters in order, pairs told, holders."""
    with db.engine.connect() as connection:
        contacts = connection.execute(
            select(Contact)
            .where(Contact.deleted_at.is_(None))
            .order_by(Contact.linked_id.is_not(None), Contact.created_at, Contact.id)
        ).all()
        links = connection.execute(PAIRS).all()
        held = connection.execute(select(Identifier)).all()
    by_id = {c.id: (c.email, c.phone_number) for c in contacts}
    clusters: dict[int, list[Any]] = {}
    for contact in contacts:
        clusters.setdefault(contact.linked_id or contact.id, []).append(by_id[contact.id])
    return (
        sorted(map(tuple, clusters.values()), key=str),
        sorted(map(tuple, links)),
        sorted(
            (each.kind, each.value, str(each.contact_id and by_id[each.contact_id]))
            for each in held
        ),
    )


def count(model: type[Base]) -> int:
    """Return how many rows a table has."""
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(model)) or 0


def updates() -> dict[int, datetime]:
    """Return when each contact was last changed."""
    with db.engine.connect() as connection:
        rows = connection.execute(select(Contact.id, Contact.updated_at))
        return {row.id: row.updated_at for row in rows}


def rows_in_all_tables() -> dict[str, int]:
    """Return how many rows each table has."""
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def everything() -> dict[str, list[Any]]:
    """Return every row of every table: what was written anywhere shows."""
    with db.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in Base.metadata.tables.items()
        }
