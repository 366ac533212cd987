"""A new contact, as nearly every decision is: four rows, and on PostgreSQL one statement."""

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
    select,
    true,
    union_all,
)

from identity import events
from identity.database import UtcDateTime
from identity.deciding import Decided
from identity.identifiers import Kind
from identity.models import Claim, Contact, Event, Identifier
from identity.prepared import Prepared
from identity.writing.loads import PRIMARY, SECONDARY, Teller, Written

# No parameter is named like a column: SQLAlchemy would take it for a value to insert.
_email = bindparam("given_email", type_=Text)
_phone_number = bindparam("given_phone_number", type_=Text)
_told_by = bindparam("told_by", type_=Text)
_contact_id = bindparam("about", type_=BigInteger)
_now = bindparam("now", type_=UtcDateTime)
_created = bindparam("created", type_=UtcDateTime)
_contact = Contact.table().c

_insert_contact = (
    insert(Contact.table())
    .values(
        email=bindparam("said_email", type_=Text),
        phone_number=bindparam("said_phone_number", type_=Text),
        linked_id=bindparam("linked_to", type_=BigInteger),
        link_precedence=bindparam("precedence", type_=Text),
        created_at=_created,
        updated_at=_now,
    )
    .returning(_contact.id)
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


def _insert_claim(place: ColumnElement[Any], contact_id: ColumnElement[Any]) -> Insert:
    told: dict[str, Any] = {
        "id": place,
        "email": _email,
        "phone_number": _phone_number,
        "source": _told_by,
        "told_at": _now,
        "dated_at": _created,
        "contact_id": contact_id,
        "brought": bindparam("brought_kind", type_=Text),
        "stands": true(),
    }
    return insert(Claim.table()).from_select(list(told), select(*told.values()))


CONTACT = Prepared(_insert_contact)
IDENTIFIERS = Prepared(_insert_identifiers(_contact_id))
EVENT = Prepared(events.line(_contact_id).returning(Event.table().c.id))
CLAIM = Prepared(_insert_claim(bindparam("place", type_=BigInteger), _contact_id))

_added = _insert_contact.cte("added")
_line = events.line(select(_added.c.id).scalar_subquery()).returning(Event.table().c.id).cte("line")
CONTACT_AND_ALL = Prepared(
    select(_added.c.id, _line.c.id.label("place")).add_cte(
        _insert_identifiers(select(_added.c.id).scalar_subquery()).cte("identifiers"),
        _insert_claim(
            select(_line.c.id).scalar_subquery(), select(_added.c.id).scalar_subquery()
        ).cte("claims"),
    )
)
"""A contact with its identifiers, its claim and its line of the ledger. The claim has the number of
the line: claims and lines are counted together."""


def is_one_contact(decided: Decided) -> bool:
    """Tell whether one call made one contact, and nothing else came of it."""
    return (
        len(decided.contacts) == len(decided.claims) == len(decided.lines) == 1
        and decided.claims[0].held_by is None
        and not (decided.references or decided.redated or decided.redated_claims)
        and not decided.absorbed
    )


def write_contact(connection: Connection, decided: Decided, teller: Teller) -> Written:
    """Write the one contact, with all that goes with it."""
    (contact,), (claim,), (line,) = decided.contacts, decided.claims, decided.lines
    new = {value.kind: value.text for value, _ in decided.identifiers}
    is_primary = contact.primary == contact.number
    values = {
        "given_email": claim.email,
        "given_phone_number": claim.phone_number,
        "said_email": contact.email,
        "said_phone_number": contact.phone_number,
        "told_by": teller.source,
        "now": teller.now,
        "created": contact.created_at,
        "linked_to": None if is_primary else contact.primary,
        "precedence": PRIMARY if is_primary else SECONDARY,
        "new_email": new.get(Kind.EMAIL),
        "new_phone_number": new.get(Kind.PHONE),
        "brought_kind": claim.memory.brought and claim.memory.brought.value,
        "event_kind": line.kind.value,
        "detail": None,
    }
    if connection.dialect.name == "postgresql":
        [(contact_id, _)] = CONTACT_AND_ALL.rows(connection, values)
    else:
        [(contact_id,)] = CONTACT.rows(connection, values)
        values["about"] = contact_id
        IDENTIFIERS.run(connection, values)
        [(values["place"],)] = EVENT.rows(connection, values)
        CLAIM.run(connection, values)
    return Written(contact.number, [int(contact_id)])
