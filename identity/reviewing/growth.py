"""Customers that an import made unusually large, and what holds each of them together.

Looked at once, when it ends, and only among those that it grew or merged. Which they are is kept
with the import; how large they are, and by what, is as it is when somebody looks.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from identity import database
from identity.identifiers import Value
from identity.importing import register, written
from identity.models import LARGEST_ID, Contact, Event, EventKind
from identity.portraying import membership, sizing
from identity.reviewing.customers import primaries_of_contacts, sizes
from identity.reviewing.merges import LARGE

SHOWN = 10
"""Customers that are named, the largest first."""
LOOKED_AT = 500
"""Customers of each kind whose size is looked up: those that grew most."""
GROWN = "grown"
"""What they are called among the choices of an import, which is where there is room."""

_contact = Contact.table().c
_event = Event.table().c


@dataclass(frozen=True, slots=True)
class Grown:
    """A customer, as it is now."""

    primary_id: int
    contacts: int
    shared: tuple[Value, int] | None
    """The value by which most were joined, and how many contacts have it."""

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Grown {self.primary_id} of {self.contacts}>"


def keep(import_id: int) -> list[Grown]:
    """Find out whom an import made unusually large, and keep with it which customers they are."""
    found = database.read(lambda connection: _found(connection, import_id))
    if found:
        choices = register.get(import_id).choices or {}
        register.note(import_id, choices=choices | {GROWN: found})
    return told(found)


def kept(listed: register.Listed) -> list[Grown]:
    """Return those that an import made large, as far as they still are."""
    return told((listed.choices or {}).get(GROWN, ()))


def told(ids: Iterable[int]) -> list[Grown]:
    """Return customers by a contact of theirs, as they are now, without reading them whole."""
    return database.read(lambda connection: _told(connection, ids))


def _told(connection: Connection, ids: Iterable[int]) -> list[Grown]:
    large: dict[int, Grown] = {}
    for id_ in ids:
        primary, many = membership.head(connection, id_) or (None, 0)
        # Some of them may have been taken apart since, or become one.
        if primary is not None and many >= LARGE and primary.id not in large:
            shared = sizing.counted(connection, primary.id, many).shared
            large[primary.id] = Grown(primary.id, many, shared)
    return sorted(large.values(), key=lambda each: (-each.contacts, each.primary_id))


def _found(connection: Connection, import_id: int) -> list[int]:
    """Return customers of many contacts of which half or more are so by an import."""
    first, last = written.contacts_of(connection, import_id)
    # One that only merges brings no contact at all.
    first = first or LARGEST_ID
    brought = Counter(dict(_new(connection, first, last or 0)))
    moved = _moved(connection, import_id, first)
    now = primaries_of_contacts(connection, moved)
    for id_, many in moved.items():
        if id_ in now:
            brought[now[id_]] += many
    found = sizes(connection, brought)
    large = [
        (-size, id_)
        for id_, size in found.items()
        if size >= LARGE and 2 * (brought[id_] + (id_ >= first)) >= size
    ]
    return [id_ for _, id_ in sorted(large)[:SHOWN]]


def _new(connection: Connection, first: int, last: int) -> list[tuple[int, int]]:
    """Return to whom most of the new contacts were added, and how many."""
    many = func.count()
    chosen = (
        select(_contact.linked_id, many)
        .where(_contact.id.between(first, last))
        .where(_contact.linked_id.is_not(None), _contact.deleted_at.is_(None))
        .group_by(_contact.linked_id)
        .having(many * 2 >= LARGE - 2)
        .order_by(many.desc(), _contact.linked_id)
        .limit(LOOKED_AT)
    )
    return [(row[0], row[1]) for row in connection.execute(chosen)]


def _moved(connection: Connection, import_id: int, first: int) -> dict[int, int]:
    """Return into whom most contacts were merged that were known before, and how many."""
    many = func.sum(1 + func.json_array_length(_event.detail["moved"]))
    chosen = (
        select(_event.primary_id, many)
        .where(_event.source == register.source(import_id))
        .where(_event.kind == EventKind.CLUSTERS_MERGED.value, _event.contact_id < first)
        .group_by(_event.primary_id)
        .order_by(many.desc(), _event.primary_id)
        .limit(LOOKED_AT)
    )
    return {row[0]: int(row[1]) for row in connection.execute(chosen)}
