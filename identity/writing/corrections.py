"""What stands otherwise than the evidence says, put right."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Text,
    and_,
    bindparam,
    case,
    delete,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from identity.bulk import Change
from identity.database import UtcDateTime
from identity.deciding import Memory
from identity.identifiers import Value
from identity.models import Claim, Contact, Identifier
from identity.moments import spoken
from identity.writing.loads import CONTACTS, HELD_IDENTIFIERS, PRIMARY, SECONDARY

_contact = Contact.table().c
_now = bindparam("now", type_=UtcDateTime)


class Row(NamedTuple):
    """A contact as it is to stand."""

    id: int
    email: str | None
    phone_number: str | None
    linked_id: int | None
    created_at: datetime


@dataclass(slots=True)
class Corrections:
    """What stands in the tables otherwise than the evidence says. All ids are the database's."""

    added: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    """Contacts that stand, or ceased once, and are to stand like this."""
    ceased: list[int] = field(default_factory=list)
    held: list[tuple[Value, int | None]] = field(default_factory=list)
    """Identifiers that nobody had, and the contact that has them now; None for no one."""
    moved: list[tuple[Value, int | None]] = field(default_factory=list)
    """Identifiers that another contact has now, or none."""
    dropped: list[Value] = field(default_factory=list)
    """Identifiers that nobody has any more."""
    remembered: list[tuple[int, Memory, int | None]] = field(default_factory=list)
    """Claims, with what they remember and which ruling holds them."""

    def __bool__(self) -> bool:
        contacts = self.added or self.changed or self.ceased
        return bool(contacts or self.held or self.moved or self.dropped or self.remembered)


def _change_contact(asked: FromClause) -> UpdateBase:
    given = asked.c
    is_primary = given.linked_id.is_(None)
    return (
        update(Contact.table())
        .where(_contact.id == given.id)
        .values(
            email=given.email,
            phone_number=given.phone_number,
            linked_id=given.linked_id,
            link_precedence=case((is_primary, PRIMARY), else_=SECONDARY),
            created_at=given.moment,
            updated_at=_now,
            deleted_at=null(),
        )
    )


def _end_contact(asked: FromClause) -> UpdateBase:
    nothing = dict.fromkeys(("email", "phone_number", "linked_id"), null())
    return (
        update(Contact.table())
        .where(_contact.id == asked.c.id)
        .values(**nothing, link_precedence=PRIMARY, updated_at=_now, deleted_at=_now)
    )


def _move_identifier(asked: FromClause) -> UpdateBase:
    row = Identifier.table()
    key = and_(row.c.kind == asked.c.kind, row.c.value == asked.c.value)
    return update(row).where(key).values(contact_id=asked.c.contact_id)


def _drop_identifier(asked: FromClause) -> UpdateBase:
    row = Identifier.table()
    key = tuple_(row.c.kind, row.c.value)
    return delete(row).where(key.in_(select(asked.c.kind, asked.c.value)))


def _remember(asked: FromClause) -> UpdateBase:
    claim, given = Claim.table(), asked.c
    return (
        update(claim)
        .where(claim.c.id == given.id)
        .values(
            contact_id=given.contact_id,
            brought=given.brought,
            other_contact_id=given.other_contact_id,
            held_by=given.held_by,
        )
    )


CHANGE_CONTACTS = Change(
    _change_contact,
    id=BigInteger,
    email=Text,
    phone_number=Text,
    linked_id=BigInteger,
    moment=UtcDateTime,
)
END_CONTACTS = Change(_end_contact, id=BigInteger)
MOVE_IDENTIFIERS = Change(_move_identifier, kind=Text, value=Text, contact_id=BigInteger)
DROP_IDENTIFIERS = Change(_drop_identifier, kind=Text, value=Text)
REMEMBER = Change(
    _remember,
    id=BigInteger,
    contact_id=BigInteger,
    brought=Text,
    other_contact_id=BigInteger,
    held_by=BigInteger,
)


def correct(connection: Connection, corrections: Corrections, now: datetime) -> None:
    """Put the tables right."""
    moment = spoken(connection.dialect)
    added = [
        (*row[:4], PRIMARY if row.linked_id is None else SECONDARY, row.created_at, now)
        for row in corrections.added
    ]
    # SQLite wants a primary to be there before anybody is linked to it. Who becomes one is there.
    CONTACTS.insert(connection, sorted(added, key=lambda row: (row[3] is not None, row[0])))
    DROP_IDENTIFIERS.make(connection, sorted(corrections.dropped))
    MOVE_IDENTIFIERS.make(connection, sorted((*each, id_) for each, id_ in corrections.moved))
    HELD_IDENTIFIERS.insert(
        connection,
        sorted(
            ((each.kind.value, each.text, id_) for each, id_ in corrections.held),
            key=lambda row: row[:2],
        ),
    )
    CHANGE_CONTACTS.make(
        connection,
        ((*row[:4], moment(row.created_at)) for row in sorted(corrections.changed)),
        now=now,
    )
    END_CONTACTS.make(connection, ((id_,) for id_ in sorted(corrections.ceased)), now=now)
    REMEMBER.make(
        connection,
        (
            (id_, memory.contact, memory.brought and memory.brought.value, memory.other, held_by)
            for id_, memory, held_by in sorted(corrections.remembered)
        ),
    )
