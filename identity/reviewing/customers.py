"""Customers: how large they are, and whose a contact is now."""

from collections.abc import Iterable, Iterator

from sqlalchemy import BigInteger, Connection, FromClause, Text, and_, func, select

from identity import rebuilding
from identity.bulk import Question, Selected
from identity.identifiers import Identifiers, Value
from identity.models import Contact, Identifier

_contact = Contact.table().c


def _sizes(asked: FromClause) -> Selected:
    # A number for each, and not a join: one look into the index, whatever the planner believes.
    linked = select(func.count()).where(_contact.linked_id == asked.c.id)
    followers = linked.where(_contact.deleted_at.is_(None)).scalar_subquery()
    return select(asked.c.id, followers.label("followers"))


SIZES = Question(_sizes, id=BigInteger)


def _owners(asked: FromClause) -> Selected:
    row = Identifier.table().c
    key = and_(row.kind == asked.c.kind, row.value == asked.c.value)
    return (
        # No more than these: there are millions of them.
        select(func.coalesce(_contact.linked_id, _contact.id).label("primary_id"))
        .select_from(asked)
        .join(Identifier.table(), key)
        .join(Contact.table(), row.contact_id == _contact.id)
        .where(_contact.deleted_at.is_(None))
    )


OWNERS = Question(_owners, kind=Text, value=Text)


def owners(connection: Connection, values: Iterable[Value]) -> set[int]:
    """Return the primaries of whoever has one of some values."""
    asked = ((value.kind.value, value.text) for value in values)
    return {row.primary_id for row in OWNERS.ask(connection, asked)}


def sizes(connection: Connection, primaries: Iterable[int]) -> dict[int, int]:
    """Return how many contacts the customers of some primaries have."""
    asked = ((primary_id,) for primary_id in primaries)
    return {id_: followers + 1 for id_, followers in SIZES.ask(connection, asked)}


def primaries_of_contacts(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """Return the primary of each contact that has not ceased."""
    rows = rebuilding.CONTACTS.ask(connection, ((id_,) for id_ in ids))
    return {row.id: row.linked_id or row.id for row in rows if row.deleted_at is None}


def values_of(connection: Connection, primaries: Iterable[int], most: int) -> Iterator[Value]:
    """Yield what customers of at most so many contacts have."""
    asked = [(id_,) for id_, size in sizes(connection, primaries).items() if size <= most]
    for question in rebuilding.CONTACTS, rebuilding.FOLLOWERS:
        for row in question.ask(connection, asked):
            if row.deleted_at is None:
                yield from Identifiers(row.email, row.phone_number).values()


def first_emails(connection: Connection, primaries: Iterable[int]) -> dict[int, str]:
    """Return the email of each primary that has one."""
    rows = rebuilding.CONTACTS.ask(connection, ((id_,) for id_ in primaries))
    return {row.id: row.email for row in rows if row.email is not None}
