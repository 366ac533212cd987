"""A new contact, as nearly every decision is: four rows, and on PostgreSQL one statement.

Somebody else may have taken one of its identifiers. The database is not left to refuse them: it
would write the email or the phone number into its own log.
"""

from typing import Any

from psycopg.errors import InvalidTextRepresentation
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Insert,
    Select,
    Sequence,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    insert,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from identity import events, forgetting
from identity.database import UtcDateTime
from identity.deciding import Decided
from identity.errors import LostRace
from identity.identifiers import Kind
from identity.models import Claim, Contact, Event, Identifier
from identity.prepared import Prepared
from identity.writing.loads import PRIMARY, SECONDARY, Teller, Written

# No parameter is named like a column: SQLAlchemy would take it for a value to insert.
_email = bindparam("given_email", type_=Text)
_phone_number = bindparam("given_phone_number", type_=Text)
_new = {
    Kind.EMAIL: bindparam("new_email", type_=Text),
    Kind.PHONE: bindparam("new_phone_number", type_=Text),
}
_told_by = bindparam("told_by", type_=Text)
_contact_id = bindparam("about", type_=BigInteger)
_now = bindparam("now", type_=UtcDateTime)
_created = bindparam("created", type_=UtcDateTime)
_contact = Contact.table().c
_said: dict[str, Any] = {
    "email": bindparam("said_email", type_=Text),
    "phone_number": bindparam("said_phone_number", type_=Text),
    "linked_id": bindparam("linked_to", type_=BigInteger),
    "link_precedence": bindparam("precedence", type_=Text),
    "created_at": _created,
    "updated_at": _now,
}


def _take_identifiers(
    contact_id: ColumnElement[Any], unless: ColumnElement[bool]
) -> PostgresqlInsert:
    # The email first, always: two calls that insert the same two identifiers in opposite
    # orders would each wait for the other.
    new = [
        select(literal_column(f"'{kind.value}'"), value, contact_id).where(
            value.is_not(None), ~unless
        )
        for kind, value in _new.items()
    ]
    # SQLite has these words, too.
    return (
        postgresql_insert(Identifier.table())
        .from_select(["kind", "value", "contact_id"], union_all(*new))
        .on_conflict_do_nothing()
    )


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


def _all_at_once() -> Select[int, int]:
    """Return the statement that writes all or nothing.

    Nothing, when an identifier is taken, or when somebody was erased since it was looked who was.
    """
    number = Sequence("contact_id_seq").next_value().label("id")
    drawn = select(number).where(~forgetting.LATER).cte("drawn")
    taking = _take_identifiers(drawn.c.id, unless=false())
    taken = taking.returning(Identifier.table().c.contact_id).cte("taken")
    count = func.count()
    asked = bindparam("to_take", type_=BigInteger)
    # What is taken of two cannot be given back but by an error. Its words are all that the
    # database writes into its log.
    is_all = case(
        (count == asked, true()),
        (count == literal_column("0"), false()),
        else_=cast(func.concat(literal_column(f"'{HALF}'"), count), Boolean),
    )
    won = select(func.max(taken.c.contact_id).label("id")).having(is_all).cte("won")
    added = insert(Contact.table()).from_select(["id", *_said], select(won.c.id, *_said.values()))
    event = Event.table().c
    line = events.line(won.c.id).returning(event.contact_id, event.id).cte("line")
    claim = _insert_claim(line.c.id, line.c.contact_id)
    return select(line.c.contact_id, line.c.id).add_cte(added.cte("added"), claim.cte("claims"))


TAKEN = "another call took the identifiers first"
HALF = "another call took one of two identifiers first, so nothing is written "
CONTACT = Prepared(insert(Contact.table()).values(_said).returning(_contact.id))
IDENTIFIERS = Prepared(_take_identifiers(_contact_id, forgetting.LATER))
EVENT = Prepared(events.line(_contact_id).returning(Event.table().c.id))
CLAIM = Prepared(_insert_claim(bindparam("place", type_=BigInteger), _contact_id))
CONTACT_AND_ALL = Prepared(_all_at_once())
"""A contact with its identifiers, its claim and its line of the ledger. The claim has the number of
the line: claims and lines are counted together. It commits by itself, so a lost race must leave
nothing: no row comes back then."""


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
        "up_to": teller.up_to,
    }
    if connection.dialect.name == "postgresql":
        contact_id = _write_at_once(connection, values | {"to_take": len(new)})
    else:
        [(contact_id,)] = CONTACT.rows(connection, values)
        values["about"] = contact_id
        if IDENTIFIERS.run(connection, values) < len(new):
            raise _lost(connection)
        [(values["place"],)] = EVENT.rows(connection, values)
        CLAIM.run(connection, values)
    return Written(contact.number, [int(contact_id)])


def _write_at_once(connection: Connection, values: dict[str, Any]) -> int:
    try:
        rows = CONTACT_AND_ALL.rows(connection, values)
    except InvalidTextRepresentation as error:
        raise LostRace(HALF) from error
    if not rows:
        raise _lost(connection)
    [(contact_id, _)] = rows
    return int(contact_id)


def _lost(connection: Connection) -> LostRace:
    """Return what is said to who lost: to another call, or to an erasure."""
    forgetting.of(connection).catch_up(connection)
    return LostRace(TAKEN)
