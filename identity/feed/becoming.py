"""What became of a contact: whose it was, one customer after another, when and why.

The ledger is walked back from the customer that it is of now, or was of last. Where a line tells
that it came from another customer, that one's lines before it are the next.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, or_, select

from identity.comparing import Became
from identity.events import Entry, entry
from identity.feed.changes import RULED, Change, Moved, read
from identity.ledger import LINES
from identity.models import LARGEST_ID, Contact, Event, EventKind, Forgotten, Id

MOST = 1000
"""Steps that are told, at most."""
CHUNK = 50
BORN = EventKind.CONTACT_CREATED, EventKind.CONTACT_LINKED
JOINED = EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED, *RULED

_event = Event.table().c
_contact = Contact.table().c
_of = _event.primary_id == bindparam("of_primary", type_=Id)
LINES_OF = (
    LINES.where(_of, _event.id < bindparam("before", type_=BigInteger))
    .where(
        or_(
            _event.kind.in_([kind.value for kind in JOINED]),
            _event.contact_id == bindparam("contact", type_=Id),
        )
    )
    .order_by(_event.id.desc())
    .limit(CHUNK)
)
TOLD_WITH = (
    LINES.where(_of, _event.kind == bindparam("told_kind"))
    .where(_event.occurred_at == bindparam("moment", type_=_event.occurred_at.type))
    .where(_event.detail["change"]["kind"].as_string().is_not(None))
    .limit(1)
)


class Step(NamedTuple):
    """Something that became of a contact, or of the customer that it stood for."""

    change: Change
    moved: Moved | None
    """Whose the contact was and is; None when it stayed."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the interface has it."""
        told = self.change.as_json()
        names = ("kind", "at", "before", "after", "cause")
        moved = self.moved or Moved(0, self.change.customer, self.change.customer)
        return {name: told[name] for name in names} | {"from": moved.from_, "to": moved.to}


def became(connection: Connection, contact_id: int, now: Iterable[int]) -> tuple[list[Step], bool]:
    """Return what became of a contact, the oldest first, and whether there was more before that.

    `now` are the customers with what it said, when it ceased. No steps for an unknown one.
    """
    steps = _steps(connection, contact_id, _customer(connection, contact_id, now))
    found = list(islice(steps, MOST + 1))
    return found[:MOST][::-1], len(found) > MOST


def _customer(connection: Connection, contact_id: int, now: Iterable[int]) -> int:
    """Return the customer of a contact, or the last one that it was of."""
    stands = select(_contact.linked_id, _contact.deleted_at).where(_contact.id == contact_id)
    row = connection.execute(stands).one_or_none()
    if row is not None and row.deleted_at is None:
        return int(row.linked_id or contact_id)
    erased = select(Forgotten.customer).where(Forgotten.contact_id == contact_id)
    candidates: list[int] = [contact_id, *connection.scalars(erased), *now]
    for customer in dict.fromkeys(candidates):
        for line in _lines(connection, contact_id, customer, LARGEST_ID):
            moved = _moved(contact_id, read(0, _teller(connection, line)), line)
            if moved and moved.to is None:
                return customer
    return contact_id


def _steps(connection: Connection, contact_id: int, customer: int) -> Iterator[Step]:
    lines = _lines(connection, contact_id, customer, LARGEST_ID)
    while (line := next(lines, None)) is not None:
        teller = _teller(connection, line)
        change = read(0, teller)
        moved = _moved(contact_id, change, line)
        if moved is None:
            # What became of a customer concerns those who know it by this id.
            if contact_id == customer and change.kind not in (Became.GROWN, Became.CREATED):
                yield Step(change, None)
            continue
        yield Step(change, moved)
        if line.kind in BORN:
            return
        if moved.from_ not in (None, customer):
            customer = moved.from_ or customer
            lines = _lines(connection, contact_id, customer, min(line.id, teller.id))


def _lines(connection: Connection, contact: int, customer: int, before: int) -> Iterator[Entry]:
    while True:
        asked = {"of_primary": customer, "before": before, "contact": contact}
        rows = connection.execute(LINES_OF, asked).all()
        yield from (entry(*row) for row in rows)
        if len(rows) < CHUNK:
            return
        before = rows[-1].id


def _teller(connection: Connection, line: Entry) -> Entry:
    """Return the line that tells all of what a line is about: it, or that of another customer."""
    told_by = (line.detail or {}).get("with")
    if told_by is None:
        return line
    asked = {"of_primary": told_by, "told_kind": line.kind.value, "moment": line.occurred_at}
    row = connection.execute(TOLD_WITH, asked).one_or_none()
    return entry(*row) if row else line


def _moved(contact_id: int, change: Change, line: Entry) -> Moved | None:
    for moved in change.moved:
        if moved.contact == contact_id:
            return moved
    detail = line.detail or {}
    if line.kind not in RULED or "change" in detail or "with" in detail:
        return None
    # A line of before there was a feed. It names the customers, and not who moved.
    customer, formers = change.customer, detail.get("before", [])
    if detail.get("after") == []:
        return Moved(contact_id, customer, None)
    if contact_id in formers and contact_id != customer:
        return Moved(contact_id, contact_id, customer)
    if customer not in formers and len(formers) == 1:
        return Moved(contact_id, formers[0], customer)
    return None
