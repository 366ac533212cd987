"""The ledger: what was decided, appended in the same transaction as the decision."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Text,
    bindparam,
    func,
    insert,
    select,
    true,
)

from identity.database import UtcDateTime
from identity.ledger import LINES, newest
from identity.models import LARGEST_ID, Event, EventKind


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
        "in_claims": true(),
    }
    return insert(Event.table()).from_select(list(told), select(*told.values()))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger, as it is read."""

    id: int
    occurred_at: datetime
    kind: EventKind
    source: str
    primary_id: int | None
    """The primary then; the customer may have been merged into another since."""
    contact_id: int | None
    email: str | None
    phone_number: str | None
    detail: dict[str, Any] | None


_event = Event.table().c
ENTRIES = LINES.order_by(_event.id.desc())
"""All lines of the ledger, the newest first; `entry` reads one."""


def latest(
    connection: Connection,
    limit: int,
    *,
    kind: EventKind | None = None,
    source: str | None = None,
    first: int = 0,
    before: int = LARGEST_ID,
) -> list[Entry]:
    """Return the newest lines of the ledger, in one statement, from one line's id to another's.

    Those of imports are left out, unless one is the source that is asked for.
    """
    kinds = tuple(EventKind) if kind is None else (kind,)
    asked: dict[str, Any] = {"limit": limit, "first": first, "before": before}
    if source is not None:
        asked["told_by"] = source
    rows = connection.execute(newest(kinds, of_source=source is not None), asked)
    return [entry(*row) for row in rows]


def entry(id_: int, occurred_at: datetime, kind: str, *rest: Any) -> Entry:
    """Return a line from its columns."""
    return Entry(id_, occurred_at, EventKind(kind), *rest)
