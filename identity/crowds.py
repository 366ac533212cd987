"""Customers of so many contacts that they are read once, for the answer.

The database puts each list together and hands it over as JSON: twenty thousand rows would take
Python as long to look at as to find.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, func, select

from identity import clusters
from identity.identifiers import Kind, Value
from identity.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Crowd:
    """A customer, whole. The lists are JSON."""

    primary_id: int
    contacts: int
    emails: str
    """In the order of the contacts, the primary's first, then oldest first, without repeats."""
    phone_numbers: str
    secondary_ids: str


def _crowd_of(kind: Kind, array: Any) -> Select[Any]:
    asked = select(clusters.known_as(kind).label("id")).cte("asked")
    member = clusters.members_of(select(asked.c.id).correlate(None).scalar_subquery())
    linked = member.c.linked_id.is_not(None)
    ordered = (
        select(*member.c).order_by(linked, member.c.created_at, member.c.id).subquery("ordered").c
    )

    def listed(column: Any, condition: Any) -> Any:
        return cast(array(column).filter(condition), Text)

    return select(
        select(asked.c.id).scalar_subquery(),
        func.count(),
        listed(ordered.email, ordered.email.is_not(None)),
        listed(ordered.phone_number, ordered.phone_number.is_not(None)),
        listed(ordered.id, ordered.linked_id.is_not(None)),
    )


_ARRAYS = {"postgresql": func.json_agg, "sqlite": func.json_group_array}
CROWD = {
    dialect: {kind: Prepared(_crowd_of(kind, array)) for kind in Kind}
    for dialect, array in _ARRAYS.items()
}


def crowd_of(connection: Connection, value: Value) -> Crowd | None:
    """Return the customer who has a value, whole, in one statement; None when nobody has it."""
    asked = CROWD[connection.dialect.name][value.kind]
    field = clusters.GIVEN[value.kind].key
    [(primary_id, contacts, emails, phone_numbers, ids)] = asked.rows(
        connection, {field: value.text}
    )
    if not contacts:
        return None
    return Crowd(primary_id, contacts, _distinct(emails), _distinct(phone_numbers), ids or "[]")


def _distinct(listed: str | None) -> str:
    if listed is None:
        return "[]"
    # Hardly slower than to look, and many contacts of one customer say the same number.
    values = json.loads(listed)
    distinct = dict.fromkeys(values)
    return listed if len(distinct) == len(values) else json.dumps(list(distinct))
