"""The pen: how a decision is written down. Nothing here reads or decides.

A new contact takes four tables. On SQLite that is four statements. PostgreSQL takes them as
one, because there every statement is a journey; both are made of the same parts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Text,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from identity import events
from identity.database import UtcDateTime
from identity.events import EventKind
from identity.identifiers import Identifiers
from identity.models import Contact, Identifier, Kind, Link, Precedence
from identity.prepared import Prepared

# No parameter is named like a column: SQLAlchemy would take it for a value to insert.
_email = bindparam("given_email", type_=Text)
_phone_number = bindparam("given_phone_number", type_=Text)
_contact_id = bindparam("about", type_=BigInteger)
_linked_to = bindparam("linked_to", type_=BigInteger)
_now = bindparam("now", type_=UtcDateTime)
_created = bindparam("created", type_=UtcDateTime)
_contact = Contact.table().c

_insert_contact = (
    insert(Contact.table())
    .values(
        email=_email,
        phone_number=_phone_number,
        linked_id=_linked_to,
        link_precedence=bindparam("precedence", type_=Text),
        created_at=_created,
        updated_at=_created,
    )
    .returning(_contact.id)
)
_insert_link = insert(Link.table()).from_select(
    ["email", "phone_number", "source", "first_seen_at"],
    select(_email, _phone_number, bindparam("told_by", type_=Text), _now).where(
        _email.is_not(None), _phone_number.is_not(None)
    ),
)


def _insert_identifiers(contact_id: ColumnElement[Any]) -> Insert:
    # The email first, always: two calls that insert the same two identifiers in opposite
    # orders would each wait for the other.
    new = [
        select(literal_column(f"'{kind.value}'"), value, contact_id).where(value.is_not(None))
        for kind, value in (
            (Kind.EMAIL, bindparam("new_email", type_=Text)),
            (Kind.PHONE, bindparam("new_phone_number", type_=Text)),
        )
    ]
    return insert(Identifier.table()).from_select(["kind", "value", "contact_id"], union_all(*new))


CONTACT = Prepared(_insert_contact)
IDENTIFIERS = Prepared(_insert_identifiers(_contact_id))
LINK = Prepared(_insert_link)
EVENT = Prepared(events.line(_contact_id))

_added = _insert_contact.cte("added")
CONTACT_AND_ALL = Prepared(
    select(_added.c.id).add_cte(
        _insert_identifiers(_added.c.id).cte("identifiers"),
        _insert_link.cte("links"),
        events.line(_added.c.id).cte("events"),
    )
)

ABSORB = (
    update(Contact.table())
    .where(or_(_contact.id == _contact_id, _contact.linked_id == _contact_id))
    .values(linked_id=_linked_to, link_precedence=Precedence.SECONDARY.value, updated_at=_now)
)


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes what one call told us, inside the transaction that decided it."""

    connection: Connection
    given: Identifiers
    source: str
    now: datetime

    def add_contact(self, new: Identifiers, linked_to: int | None, created_at: datetime) -> int:
        """Add what was given as a contact, `new` as identifiers it brings; return its id."""
        values = self._values(
            EventKind.CONTACT_LINKED if linked_to else EventKind.CONTACT_CREATED,
            linked_to=linked_to,
            precedence=(Precedence.SECONDARY if linked_to else Precedence.PRIMARY).value,
            created=created_at,
            new_email=new.email,
            new_phone_number=new.phone_number,
        )
        if self.connection.dialect.name == "postgresql":
            [(contact_id,)] = CONTACT_AND_ALL.rows(self.connection, values)
            return int(contact_id)
        [(contact_id,)] = CONTACT.rows(self.connection, values)
        values["about"] = contact_id
        for statement in IDENTIFIERS, LINK, EVENT:
            statement.run(self.connection, values)
        return int(contact_id)

    def absorb(self, absorbed: int, survivor: int, moved: list[int]) -> None:
        """Link the contacts of one primary, itself included, to another; `moved` are their ids."""
        values = self._values(
            EventKind.CLUSTERS_MERGED,
            linked_to=survivor,
            about=absorbed,
            detail={"absorbed": absorbed, "moved": moved},
        )
        self.connection.execute(ABSORB, values)
        LINK.run(self.connection, values)
        EVENT.run(self.connection, values)

    def add_link(self, primary_id: int) -> None:
        """Record that two identifiers of one customer were given together."""
        values = self._values(EventKind.LINK_SEEN, linked_to=primary_id)
        LINK.run(self.connection, values)
        EVENT.run(self.connection, values)

    def _values(self, kind: EventKind, **more: Any) -> dict[str, Any]:
        return {
            "given_email": self.given.email,
            "given_phone_number": self.given.phone_number,
            "told_by": self.source,
            "now": self.now,
            "event_kind": kind.value,
            "about": None,
            "detail": None,
        } | more
