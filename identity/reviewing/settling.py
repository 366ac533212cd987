"""Up to where everything told is there to be looked at.

A claim's place is drawn before its transaction ends, so one with a smaller place may appear after
one with a larger. Whoever goes through them in order would never meet it.
"""

import time
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from identity import database
from identity.models import Claim, Event

MARGIN = 0.2
"""Seconds from drawing a place to being a transaction that PostgreSQL counts, at most: no waiting
and no journey to the database lies between the two."""
ASKED = 0.05
"""Seconds between two questions whether those transactions have ended."""

BEGUN = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
ENDED = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")


def _before_untold(connection: Connection, place: int) -> int:
    """Return a place, or that before the first line of the version before that is no claim yet."""
    untold = connection.scalar(select(func.min(Event.id)).where(text("NOT in_claims")))
    return place if untold is None else min(place, untold - 1)


def last(connection: Connection) -> int | None:
    """Return the largest place of a claim or a line of the ledger; None where nothing was told."""
    claim, event = (connection.scalar(select(func.max(t.id))) for t in (Claim, Event))
    return max((place for place in (claim, event) if place is not None), default=None)


class Settled(NamedTuple):
    """A place up to which nothing is yet to appear."""

    place: int | None
    """None where nothing was told, or where it is not known."""
    known: bool = True
    """Whether those who were about to write have done so in time."""


def settled(patience: float) -> Settled:
    """Return the newest place of now, once whoever was about to write before it has done so."""
    place = database.read(last)
    if place is None or database.has_one_writer():
        # Places are drawn and written in turns.
        return Settled(place and _known(place))
    deadline = time.monotonic() + patience
    time.sleep(MARGIN)
    begun = database.read(lambda connection: connection.scalar(BEGUN))
    while database.read(lambda connection: connection.scalar(ENDED)) < begun:
        if time.monotonic() > deadline:
            return Settled(None, known=False)
        time.sleep(ASKED)
    return Settled(_known(place))


def _known(place: int) -> int:
    # Asked last: whoever was waited for may be of the version before.
    return database.read(lambda connection: _before_untold(connection, place))
