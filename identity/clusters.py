"""The reading room: find a customer. Nothing here writes.

Both questions (whose are these identifiers? who is this contact?) are one statement each.
The statements are built once, at import, and never vary in text, so that the databases
keep their plans.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    union,
    union_all,
)

from identity.identifiers import Identifiers
from identity.models import Contact, Id, Identifier, Kind, Link, Precedence
from identity.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Member:
    """A contact as it stands in its cluster."""

    id: int
    linked_id: int | None
    email: str | None
    phone_number: str | None
    created_at: datetime

    @property
    def precedence(self) -> Precedence:
        """Primary, or secondary."""
        return Precedence.PRIMARY if self.linked_id is None else Precedence.SECONDARY

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Member {self.id} of {self.linked_id or self.id}>"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything we know about one customer."""

    members: tuple[Member, ...]
    """The primary first, then oldest first."""
    emails: tuple[str, ...]
    """In the order of the members, without repeats; so are the phone numbers."""
    phone_numbers: tuple[str, ...]

    @classmethod
    def of(cls, members: Iterable[Member]) -> Self:
        """Return the cluster of `members`, which come primary first, then oldest first."""
        members = tuple(members)
        return cls(
            members,
            tuple(dict.fromkeys(m.email for m in members if m.email)),
            tuple(dict.fromkeys(m.phone_number for m in members if m.phone_number)),
        )

    @property
    def primary(self) -> Member:
        """The contact that stands for the customer."""
        return self.members[0]

    @property
    def primary_id(self) -> int:
        """The id by which the customer is known."""
        return self.members[0].id

    @property
    def secondary_ids(self) -> list[int]:
        """The ids of all other contacts, oldest first."""
        return [member.id for member in self.members[1:]]

    def knows(self, given: Identifiers) -> bool:
        """Tell whether every identifier given is one of this customer's."""
        return (given.email is None or given.email in self.emails) and (
            given.phone_number is None or given.phone_number in self.phone_numbers
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of some identifiers: no cluster, one, or one for each of the two."""

    clusters: tuple[Cluster, ...]
    """Oldest primary first."""
    pair_seen: bool
    """Whether the email and the phone number were given together before."""

    def settles(self, given: Identifiers) -> bool:
        """Tell whether `given` says nothing new."""
        if len(self.clusters) != 1 or not self.clusters[0].knows(given):
            return False
        return self.pair_seen or given.email is None or given.phone_number is None


_contact = Contact.table().c
_identifier = Identifier.table().c
_link = Link.table().c

# Bound, not compared to a Python None: that would become "IS NULL" and match strangers.
# Bound to NULL, "=" matches nothing, which is what an absent identifier must match.
_email = bindparam("email", type_=Text)
_phone_number = bindparam("phone_number", type_=Text)


def _primary_of(kind: Kind, value: Any) -> Select[Any]:
    return (
        select(func.coalesce(_contact.linked_id, _contact.id).label("id"))
        .join_from(Identifier.table(), Contact.table(), _identifier.contact_id == _contact.id)
        .where(_identifier.kind == literal_column(f"'{kind.value}'"), _identifier.value == value)
    )


def _members_of(primaries: CTE, *extra: Any) -> Select[Any]:
    # One join with "id = ? OR linked_id = ?" would read all contacts; two joins use two indexes.
    columns = (
        _contact.id,
        _contact.linked_id,
        _contact.email,
        _contact.phone_number,
        _contact.created_at,
    )
    contacts = Contact.table()
    members = union_all(
        select(*columns).join_from(primaries, contacts, _contact.id == primaries.c.id),
        select(*columns).join_from(primaries, contacts, _contact.linked_id == primaries.c.id),
    ).subquery("member")
    return select(*members.c, *extra).order_by(
        members.c.linked_id.is_not(None), members.c.created_at, members.c.id
    )


def of_members(column: ColumnElement[Any], primary_id: ColumnElement[Any]) -> CompoundSelect[Any]:
    """Return a select of a contact's column for each member of a cluster."""
    # Two selects and two indexes, as above.
    return union_all(
        select(column).where(_contact.id == primary_id),
        select(column).where(_contact.linked_id == primary_id),
    )


FIND = Prepared(
    _members_of(
        union(_primary_of(Kind.EMAIL, _email), _primary_of(Kind.PHONE, _phone_number)).cte("found"),
        exists(
            select(_link.email).where(_link.email == _email, _link.phone_number == _phone_number)
        ),
    )
)
"""The members of each cluster that has the email or the phone number, and "seen together?"."""

WITH_CONTACT = _members_of(
    select(func.coalesce(_contact.linked_id, _contact.id).label("id"))
    .where(_contact.id == bindparam("contact_id", type_=Id))
    .cte("found")
)
"""The members of the cluster of one contact, primary or secondary."""


def find(connection: Connection, given: Identifiers) -> Found:
    """Return what is known of `given`, in one statement."""
    rows = FIND.rows(connection, {"email": given.email, "phone_number": given.phone_number})
    by_primary: dict[int, list[Member]] = {}
    for *columns, _ in rows:
        member = Member(*columns)
        by_primary.setdefault(member.linked_id or member.id, []).append(member)
    return Found(
        tuple(Cluster.of(members) for members in by_primary.values()),
        bool(rows) and rows[0][-1],
    )


def with_contact(connection: Connection, contact_id: int) -> Cluster | None:
    """Return the cluster of a contact, whether it is the primary or not; None when unknown."""
    rows = connection.execute(WITH_CONTACT, {"contact_id": contact_id}).all()
    return Cluster.of(Member(*row) for row in rows) if rows else None
