"""The contacts of a large customer by the page, and how many there are."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import aliased

from identity.clusters import Member
from identity.models import Contact, Id
from identity.probing import is_value

LISTED = 50
"""Contacts on a page."""

_contact = Contact.table().c
_primary = aliased(Contact.table()).c
_follower = aliased(Contact.table()).c
_id = bindparam("contact_id", type_=Id)
_member_columns = "id", "linked_id", "email", "phone_number", "created_at"
HEAD = (
    select(
        *(_primary[name] for name in _member_columns),
        select(func.count())
        .where(is_value(_follower.linked_id, _primary.id), _follower.deleted_at.is_(None))
        .scalar_subquery(),
    )
    .where(_contact.id == _id, _contact.deleted_at.is_(None))
    .where(_primary.id == func.coalesce(_contact.linked_id, _contact.id))
)
"""The primary of a contact, and how many secondaries it has."""


def head(connection: Connection, contact_id: int) -> tuple[Member, int] | None:
    """Return the primary of a contact, and how many contacts there are; None when unknown."""
    row = connection.execute(HEAD, {"contact_id": contact_id}).one_or_none()
    return row and (Member(*row[:5]), row[5] + 1)


_primary_id = bindparam("primary_id", type_=Id)
_standing = select(_contact.id).where(_contact.deleted_at.is_(None))
_secondaries = _standing.where(is_value(_contact.linked_id, _primary_id))
PAGE = (
    _secondaries.with_only_columns(*(_contact[name] for name in _member_columns))
    .order_by(_contact.created_at, _contact.id)
    .limit(LISTED + 1)
)
"""Secondaries, the oldest first."""
_mark = aliased(Contact.table()).c
PAGE_AFTER = PAGE.where(_mark.id == bindparam("after", type_=Id)).where(
    (_contact.created_at > _mark.created_at)
    | ((_contact.created_at == _mark.created_at) & (_contact.id > _mark.id))
)
ONE = _secondaries.with_only_columns(*(_contact[name] for name in _member_columns)).where(
    _contact.id == bindparam("marked", type_=Id)
)


def page(connection: Connection, primary: Member, after: int | None) -> list[Member]:
    """Return the contacts of a page, and one more where there are more."""
    chosen, bound = PAGE, {"primary_id": primary.id}
    if after is not None:
        chosen, bound = PAGE_AFTER, bound | {"after": after}
    found = [Member(*row) for row in connection.execute(chosen, bound)]
    return found if after is not None else [primary, *found]


def with_marked(
    connection: Connection, primary: Member, members: Sequence[Member], marked: int | None
) -> list[Member]:
    """Return these contacts, and the marked one before them if it is not among them."""
    # Whoever followed a link to one contact must find it, however far down it stands.
    if marked is None or any(each.id == marked for each in members):
        return list(members)
    bound = {"primary_id": primary.id, "marked": marked}
    return [*(Member(*row) for row in connection.execute(ONE, bound)), *members]


ALL = _secondaries.with_only_columns(*(_contact[name] for name in _member_columns)).order_by(
    _contact.created_at, _contact.id
)


def all_of(connection: Connection, primary_id: int) -> Iterator[Member]:
    """Yield all contacts of a customer, the primary first, then the oldest first."""
    found = head(connection, primary_id)
    if found is not None:
        yield found[0]
        for row in connection.execute(ALL, {"primary_id": primary_id}).yield_per(LISTED):
            yield Member(*row)
