"""When a message is tried again, and when a webhook is given up."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

AGAIN = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)))
)
"""How long after a try that failed the next one is: those of the specification."""
JITTER = 0.1
"""Up to which part of that is added, so that what failed together does not come back together."""
LONGEST = timedelta(hours=24)
"""What a receiver may ask for with `Retry-After`, at most."""
GIVEN_UP = timedelta(days=5)
"""After that long without any success a webhook is disabled."""
SEPARATE = timedelta(hours=30)
"""Failures that are further apart are not one: between two tries of one message there is less."""
BUSY = {429: timedelta(seconds=60), 502: timedelta(seconds=10), 504: timedelta(seconds=10)}
"""Answers of receivers that have too much to do, and how long they are left alone."""
SILENT = timedelta(seconds=1), timedelta(minutes=5)
"""How long one is left alone that does not answer, at least and at most."""
GONE = 410
"""The answer of a receiver that wants nothing more."""
ASKED_TO_WAIT = {429, 503}
"""Answers that are about all messages, when they say when to come back."""


def next_try(now: datetime, tries: int, retry_after: timedelta | None) -> datetime | None:
    """Return when a message is tried again that failed so often; None when it no longer is."""
    if tries > len(AGAIN):
        return None
    pause = AGAIN[tries - 1]
    if retry_after is not None:
        pause = max(pause, retry_after)
    return now + pause * (1 + random.uniform(0, JITTER))


def rest(
    now: datetime, since: datetime, status: int | None, retry_after: timedelta | None
) -> datetime | None:
    """Return until when a receiver that failed so, and does since then, is left alone.

    None when it is not. One that does not answer at all is left alone for longer and longer: else
    each message that waits would use up one of its tries on finding that out.
    """
    if status is None:
        return now + min(SILENT[1], max(SILENT[0], (now - since) / 4))
    pause = retry_after if retry_after is not None and status in ASKED_TO_WAIT else None
    pause = pause or BUSY.get(status or 0)
    return now + pause if pause else None


def waited_for(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long a receiver wants to be left alone: given as seconds, or as a date.

    A day at most; None for what is no such thing.
    """
    if retry_after is None:
        return None
    given = retry_after.strip()
    if given.isascii() and given.isdecimal():
        # Of a number of a thousand digits Python makes none.
        return min(LONGEST, timedelta(seconds=int(given[:9]))) if len(given) < 10 else LONGEST
    try:
        moment = parsedate_to_datetime(given)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(LONGEST, max(timedelta(), moment - now))
    except (ValueError, TypeError, OverflowError):
        return None


def is_given_up(now: datetime, failing_since: datetime) -> bool:
    """Tell whether a webhook that has been failing since then is disabled."""
    return now - failing_since >= GIVEN_UP


def begun(now: datetime, since: datetime | None, last: datetime | None) -> datetime:
    """Return since when a webhook fails that fails now, and perhaps did before."""
    if since is None or last is None or now - last > SEPARATE or since > now:
        return now
    return since
