"""The webhooks that stand, and what becomes of one in a transaction that is under way.

What administrators do with them is in `register`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select, update

from identity import auditing
from identity.auditing import Deed
from identity.errors import NotFound
from identity.models import Message, MessageState, Turn, Webhook


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook, without its secrets."""

    id: int
    url: str
    kinds: frozenset[str] | None
    """Which changes it wants; None for all."""
    created_at: datetime
    created_by: str
    told: int
    failing_since: datetime | None
    rests_until: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None
    old_until: datetime | None

    def wants(self, kind: str) -> bool:
        """Tell whether it is to hear of a kind of change."""
        return self.kinds is None or kind in self.kinds


_columns = (
    *(Webhook.id, Webhook.url, Webhook.kinds, Webhook.created_at, Webhook.created_by),
    *(Webhook.told, Webhook.failing_since, Webhook.rests_until),
    *(Webhook.disabled_at, Webhook.disabled_why, Webhook.old_until),
)
THERE = Webhook.removed_at.is_(None)


def listed(connection: Connection) -> list[Hook]:
    """Return all webhooks, the oldest first."""
    chosen = select(*_columns).where(THERE).order_by(Webhook.id)
    return [_hook(*row) for row in connection.execute(chosen)]


def get(connection: Connection, webhook_id: int) -> Hook:
    """Return a webhook; raise `NotFound` when there is none with that id."""
    chosen = select(*_columns).where(THERE, Webhook.id == webhook_id)
    if row := connection.execute(chosen).one_or_none():
        return _hook(*row)
    raise NotFound(f"There is no webhook {webhook_id}.")


def held(connection: Connection, webhook_id: int) -> Hook:
    """Return a webhook that nobody else changes meanwhile."""
    chosen = select(Webhook.id).where(Webhook.id == webhook_id).with_for_update()
    connection.execute(chosen).all()
    return get(connection, webhook_id)


def _hook(id_: int, url: str, kinds: str | None, *more: object) -> Hook:
    wanted = None if kinds is None else frozenset(kinds.split())
    return Hook(id_, url, wanted, *more)  # type: ignore[arg-type]


def give_up(connection: Connection, webhook_id: int, why: str, by: str | None) -> None:
    """Disable a webhook, in a transaction that is under way."""
    changed = update(Webhook).where(Webhook.id == webhook_id, Webhook.disabled_at.is_(None), THERE)
    values = {"disabled_at": datetime.now(UTC), "disabled_why": why}
    if connection.execute(changed.values(values)).rowcount:
        auditing.record(connection, Deed.WEBHOOK_DISABLED, by, webhook_id)


def at_once(connection: Connection, webhook_id: int) -> None:
    """Let what waits for its next try be tried now: the receiver is there again."""
    now = datetime.now(UTC)
    waiting = Message.webhook_id == webhook_id, Message.next_at > now
    connection.execute(update(Message).where(*waiting).values(next_at=now))


def drop(connection: Connection, webhook_id: int) -> None:
    """Let nothing wait that was to be sent to a webhook."""
    connection.execute(delete(Turn).where(Turn.webhook_id == webhook_id))
    waiting = Message.webhook_id == webhook_id, Message.state == MessageState.WAITING.value
    ended = {"state": MessageState.FAILED.value, "next_at": None, "ended_at": datetime.now(UTC)}
    connection.execute(update(Message).where(*waiting).values(ended))
