"""Customers of thousands of contacts, made at once."""

from datetime import UTC, datetime

from sqlalchemy import insert

from identity.database import db
from identity.models import Claim, Contact, Event, Identifier

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def large_customer(contacts: int) -> None:
    """Make customer 1, of so many contacts by one phone number, and leave the statistics old."""
    stamps = {"created_at": NOW, "updated_at": NOW}
    ids = range(1, contacts + 1)
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")
        connection.execute(
            insert(Contact),
            [
                {"id": id_, "email": f"{id_}@crowd.example", "phone_number": "1",
                 "linked_id": None if id_ == 1 else 1,
                 "link_precedence": "primary" if id_ == 1 else "secondary", **stamps}
                for id_ in ids
            ],
        )  # fmt: skip
        brought = [("email", f"{id_}@crowd.example", id_) for id_ in ids]
        connection.execute(
            insert(Identifier),
            [
                {"kind": kind, "value": value, "contact_id": id_}
                for kind, value, id_ in [("phone", "1", 1), *brought]
            ],
        )
        connection.execute(
            insert(Claim),
            [
                {"id": id_, "email": f"{id_}@crowd.example", "phone_number": "1", "source": "x",
                 "told_at": NOW, "dated_at": NOW, "contact_id": id_, "brought": "email"}
                for id_ in ids
            ],
        )  # fmt: skip
        connection.execute(
            insert(Event),
            [
                {"occurred_at": NOW, "kind": "contact_linked", "source": "x", "primary_id": 1,
                 "contact_id": id_, "in_claims": True}
                for id_ in ids
            ],
        )  # fmt: skip
