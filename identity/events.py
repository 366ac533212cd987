"""The ledger: what was decided, appended in the same transaction as the decision."""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Insert,
    Text,
    bindparam,
    func,
    insert,
    select,
)

from identity.database import UtcDateTime
from identity.models import Event


class EventKind(StrEnum):
    """What a line of history tells."""

    CONTACT_CREATED = "contact_created"
    """A new customer: a new primary."""
    CONTACT_LINKED = "contact_linked"
    """A known customer told us something new: a new secondary."""
    CLUSTERS_MERGED = "clusters_merged"
    """Two customers turned out to be one. The detail tells who was absorbed and who moved."""
    LINK_SEEN = "link_seen"
    """Two identifiers of one customer were given together for the first time."""


def line(contact_id: ColumnElement[Any]) -> Insert:
    """Return the statement that appends one line about a contact.

    Its parameters are those of `writing`. The line's primary is `linked_to`, or the contact
    itself when that is None.
    """
    told: dict[str, Any] = {
        "occurred_at": bindparam("now", type_=UtcDateTime),
        "kind": bindparam("event_kind", type_=Text),
        "source": bindparam("told_by", type_=Text),
        "primary_id": func.coalesce(bindparam("linked_to", type_=BigInteger), contact_id),
        "contact_id": contact_id,
        "email": bindparam("given_email", type_=Text),
        "phone_number": bindparam("given_phone_number", type_=Text),
        "detail": bindparam("detail", type_=JSON(none_as_null=True)),
    }
    return insert(Event.table()).from_select(list(told), select(*told.values()))
