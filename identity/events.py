"""The ledger: what was decided, appended in the same transaction as the decision."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert

from identity.identifiers import Identifiers
from identity.models import Event


class EventKind(StrEnum):
    """What a line of history tells."""

    CONTACT_CREATED = "contact_created"
    """A new customer: a new primary."""
    CONTACT_LINKED = "contact_linked"
    """A known customer told us something new: a new secondary."""
    CLUSTERS_MERGED = "clusters_merged"
    """Two customers turned out to be one."""
    LINK_SEEN = "link_seen"
    """Two identifiers of one customer were given together for the first time."""


APPEND = insert(Event.__table__)


def append(
    connection: Connection,
    kind: EventKind,
    *,
    occurred_at: datetime,
    source: str,
    primary_id: int,
    contact_id: int | None,
    given: Identifiers,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one line. `detail` holds what an undo needs and the columns do not have."""
    connection.execute(
        APPEND,
        {
            "occurred_at": occurred_at,
            "kind": kind.value,
            "source": source,
            "primary_id": primary_id,
            "contact_id": contact_id,
            "email": given.email,
            "phone_number": given.phone_number,
            "detail": detail,
        },
    )
