"""Messages, taken to be sent: by one process at a time, for as long as it shows signs of life."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, select, update

from identity import database
from identity.models import Message, Webhook
from identity.webhooks import schedule
from identity.webhooks.making import TEST
from identity.webhooks.standing import THERE

FARTHEST = 1.5 * schedule.LONGEST
"""How far ahead the next try is at most, with what is added to it by chance."""
LEASE = timedelta(seconds=8)
"""How long a message is left to whoever sends it, after the last sign of life."""
ALONE = timedelta(seconds=60)
"""How long a single message is: whoever sends that shows no sign of life until it is done."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process is to send."""

    id: int
    ident: str
    webhook_id: int
    url: str
    body: bytes
    tries: int
    """How often it was tried before."""
    is_test: bool
    sealed: tuple[str, ...]
    """The secrets that it is signed with, sealed."""


def due(connection: Connection) -> list[int]:
    """Return the webhooks with messages that are to be tried now."""
    return [webhook.id for webhook in connection.execute(_due(datetime.now(UTC)))]


def _due(now: datetime) -> Any:
    columns = Webhook.id, Webhook.url, Webhook.secret, Webhook.old_secret, Webhook.old_until
    rested = Webhook.rests_until.is_(None) | (Webhook.rests_until <= now)
    may = (Webhook.disabled_at.is_(None) & rested).label("may")
    waits = exists().where(Message.webhook_id == Webhook.id, Message.next_at <= now)
    # One that rests, or is disabled, is sent tests: somebody wants to know.
    wanted = waits & (may | exists().where(*_is_test(now)))
    return select(*columns, may).where(THERE, wanted).order_by(Webhook.id)


def _is_test(now: datetime) -> tuple[Any, ...]:
    mine = Message.webhook_id == Webhook.id, Message.next_at <= now
    return *mine, Message.kind == TEST


def claim(
    connection: Connection, room: Callable[[int], int], who: str, only: int | None = None
) -> list[Claimed]:
    """Take messages that are to be tried now, and none that somebody else is sending.

    `room` says how many of a webhook; `only` is the one message that is wanted.
    """
    taken: list[Claimed] = []
    for webhook in connection.execute(_due(datetime.now(UTC))).all():
        if (most := room(webhook.id)) > 0:
            taken += _take(connection, webhook, most, who, only)
    return taken


def _take(
    connection: Connection, webhook: Row[Any], most: int, who: str, only: int | None
) -> list[Claimed]:
    now = datetime.now(UTC)
    chosen = (
        select(Message.id, Message.ident, Message.body, Message.tries, Message.kind)
        .where(Message.webhook_id == webhook.id, Message.next_at <= now)
        .where(Message.leased_until.is_(None) | (Message.leased_until < now))
        .order_by(Message.next_at, Message.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    if only is not None:
        chosen = chosen.where(Message.id == only)
    if not webhook.may:
        chosen = chosen.where(Message.kind == TEST)
    found = connection.execute(chosen).all()
    if not found:
        return []
    leased = update(Message).where(Message.id.in_([each.id for each in found]))
    until = now + (LEASE if only is None else ALONE)
    connection.execute(leased.values(leased_by=who, leased_until=until))
    sealed = [webhook.secret]
    if webhook.old_secret and webhook.old_until and webhook.old_until > now:
        sealed.append(webhook.old_secret)
    return [
        Claimed(
            each.id,
            each.ident,
            webhook.id,
            webhook.url,
            each.body.encode(),
            each.tries,
            each.kind == TEST,
            tuple(sealed),
        )
        for each in found
    ]


def still(connection: Connection, ids: Collection[int], who: str) -> None:
    """Say that messages are still being sent."""
    mine = Message.id.in_(sorted(ids)), Message.leased_by == who
    until = datetime.now(UTC) + LEASE
    connection.execute(update(Message).where(*mine).values(leased_until=until))


def mend_clock() -> None:
    """Let what waits for a moment that no schedule gives be tried now.

    A clock that ran ahead, and was put right, would keep it waiting until then.
    """

    def write() -> None:
        with database.transaction() as connection:
            now = datetime.now(UTC)
            far = now + FARTHEST
            for column in Message.next_at, Message.leased_until:
                late = update(Message).where(column > far)
                connection.execute(late.values({column.key: now}))
            rests = update(Webhook).where(Webhook.rests_until > far)
            connection.execute(rests.values(rests_until=None))

    database.retrying(write)
