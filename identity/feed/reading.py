"""The feed, read: what comes after a number, and where what is kept of it begins and ends."""

from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, case, delete, func, select, update

from identity import database
from identity.errors import Gone
from identity.events import entry
from identity.feed.changes import Change, read
from identity.feed.publishing import publish
from identity.ledger import LINES
from identity.models import Change as Numbered
from identity.models import Contact, Event, Feed, Id

_event = Event.table().c
_numbered = Numbered.table().c
_feed = Feed.table().c
_number = bindparam("after", type_=BigInteger)
AFTER = (
    LINES.add_columns(_numbered.number)
    .join_from(Numbered.table(), Event.table(), _event.id == _numbered.event_id)
    .where(_numbered.number > _number)
    .order_by(_numbered.number)
    .limit(bindparam("most", type_=BigInteger))
)

_contact = Contact.table().c
STANDING = (
    select(_contact.id, func.coalesce(_contact.linked_id, _contact.id))
    .where(_contact.deleted_at.is_(None), _contact.id > bindparam("after", type_=Id))
    .order_by(_contact.id)
    .limit(bindparam("most", type_=Id))
)
BEGIN_AGAIN = (
    "Begin again: read GET /changes/start from its first page, and follow the changes after its "
    "number."
)


class Page(NamedTuple):
    """Some changes, and where the next ones begin."""

    changes: list[Change]
    next: int
    """The number to go on after."""
    latest: int
    """The last number that was given."""


def after(connection: Connection, number: int, most: int) -> list[Change]:
    """Return the changes that come after a number, as many as are asked for at most."""
    rows = connection.execute(AFTER, {"after": number, "most": most})
    return [read(number, entry(*line)) for *line, number in rows]


def latest(connection: Connection) -> int:
    """Return the last number that was given, 0 before the first."""
    return connection.scalar(select(_feed.last)) or 0


def begins_after(connection: Connection) -> int:
    """Return the last number whose change is not kept any more; 0 while all are."""
    return connection.scalar(select(_feed.begins_after)) or 0


def settled(connection: Connection) -> int:
    """Return the last line of the ledger up to which every change has its number."""
    return connection.scalar(select(_feed.settled)) or 0


def hold(connection: Connection) -> int:
    """Return `begins_after`, which nobody else changes until the end of the transaction."""
    return connection.scalar(select(_feed.begins_after).with_for_update()) or 0


def drop(connection: Connection, up_to: int) -> None:
    """Let the feed begin after a line of the ledger: it and all before it are about to be deleted.

    Publish everything first: what has no number yet would be missing, and nobody be told so.
    """
    gone = _numbered.event_id <= up_to
    last = connection.scalar(select(func.max(_numbered.number)).where(gone))
    if last is not None:
        # Numbers of different customers are not in the order of their lines.
        further = case((_feed.begins_after < last, last), else_=_feed.begins_after)
        connection.execute(update(Feed.table()).values(begins_after=further))
        connection.execute(delete(Numbered.table()).where(gone))


def page(number: int, most: int) -> Page:
    """Return the changes after a number, publishing first what is new where there are too few.

    Raise `Gone` when some of them are kept no more, or the feed has no such number.
    """
    found = numbered(number, most)
    if len(found.changes) < most and publish():
        found = numbered(number, most)
    return found


def numbered(number: int, most: int) -> Page:
    """Return the changes after a number that somebody has published. Raise `Gone` as `page`."""
    return database.read(lambda connection: _page(connection, number, most))


def _page(connection: Connection, number: int, most: int) -> Page:
    found = after(connection, number, most)
    begins, last = begins_after(connection), latest(connection)
    if number < begins:
        raise Gone(f"Changes up to {begins:,} are kept no more. {BEGIN_AGAIN}", [])
    if number > last and not found:
        # A backup was restored, in which later numbers had not been given.
        raise Gone(f"There is no change {number:,} yet. {BEGIN_AGAIN}", [])
    return Page(found, found[-1].number if found else number, last)


def standing(contact_id: int, most: int) -> tuple[list[tuple[int, int]], int]:
    """Return contacts after an id, each with its customer, and a number of before they were read.

    Whoever takes all pages, and then every change after the number of the first one, knows whose
    each contact is.
    """
    number = database.read(latest)
    asked = {"after": contact_id, "most": most}
    rows = database.read(lambda connection: connection.execute(STANDING, asked).all())
    return [(id_, customer) for id_, customer in rows], number
