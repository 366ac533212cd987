"""The feed, read: what comes after a number, and where what is kept of it begins and ends."""

from sqlalchemy import BigInteger, Connection, bindparam, case, delete, func, select, update

from identity.events import entry
from identity.feed.changes import Change, read
from identity.ledger import LINES
from identity.models import Change as Numbered
from identity.models import Event, Feed

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
