"""Messages, made of changes: what is sent, to the letter."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from identity import feed
from identity.models import Message, MessageState, Webhook
from identity.webhooks import signing, turns
from identity.webhooks.standing import THERE, Hook

TEST = "webhook.test"
"""The kind of a message that tells of no change."""
AT_ONCE = 500
"""Changes of which messages are made in one go."""
WAITING = 10_000
"""Messages of one webhook that wait at most. The feed keeps the rest."""
MOVED = 200
"""Contacts that moved, of which a message tells at most. It is to be small; the feed tells all."""


def make(connection: Connection, hook: Hook) -> int:
    """Make messages of what happened since, for one webhook; return how many changes that were."""
    turns.hold(connection, [hook.id])
    # It may have been removed or disabled meanwhile: what is made for it now would wait for ever.
    in_use = Webhook.id == hook.id, Webhook.disabled_at.is_(None), THERE
    told = connection.scalar(select(Webhook.told).where(*in_use))
    if told is None:
        return 0
    waiting = select(func.count()).select_from(Message)
    room = WAITING - (connection.scalar(waiting.where(*_waits(hook.id))) or 0)
    changes = feed.after(connection, told, min(AT_ONCE, room)) if room > 0 else []
    if not changes:
        return 0
    told_of = [change.as_json() for change in changes]
    insert_(connection, hook.id, [told for told in told_of if hook.wants(told["kind"])])
    last = changes[-1].number
    connection.execute(update(Webhook).where(Webhook.id == hook.id).values(told=last))
    return len(changes)


def _waits(webhook_id: int) -> tuple[Any, ...]:
    return Message.webhook_id == webhook_id, Message.state == MessageState.WAITING.value


def insert_(connection: Connection, webhook_id: int, told: Sequence[dict[str, Any]]) -> None:
    """Write messages of changes, each behind those that it must not overtake."""
    if not told:
        return
    now, about = datetime.now(UTC), [customers_of(each) for each in told]
    taken = turns.taken(connection, webhook_id, set().union(*about))
    rows = []
    for change, customers in zip(told, about, strict=True):
        first = not taken & customers
        taken |= customers
        rows.append(_row(webhook_id, change, now) | {"next_at": now if first else None})
    ids = connection.scalars(
        insert(Message).returning(Message.id, sort_by_parameter_order=True), rows
    ).all()
    turns.line_up(connection, webhook_id, ids, about)


def customers_of(change: dict[str, Any]) -> set[int]:
    """Return the customers that a change is about, before and after it."""
    return {id_ for id_ in (change["customer"], *change["before"], *change["after"]) if id_}


def _row(webhook_id: int, change: dict[str, Any], now: datetime) -> dict[str, Any]:
    if len(change.get("moved", ())) > MOVED:
        change = change | {"moved": None}
    body = {"type": change["kind"], "timestamp": change["at"], "data": change}
    return {
        "ident": signing.new_ident(),
        "webhook_id": webhook_id,
        "number": change["number"],
        "kind": change["kind"],
        "customer_id": change["customer"],
        "body": json.dumps(body, separators=(",", ":")),
        "made_at": now,
        "state": MessageState.WAITING.value,
    }


def test(connection: Connection, webhook_id: int) -> int:
    """Make a message that tells of no change, for one webhook; return its id."""
    now = datetime.now(UTC)
    told = {"kind": TEST, "at": now.isoformat(), "customer": None, "number": None}
    row = _row(webhook_id, told, now) | {"next_at": now}
    row["body"] = json.dumps({"type": TEST, "timestamp": now.isoformat(), "data": {}})
    made: int = connection.execute(insert(Message).values(row).returning(Message.id)).scalar_one()
    return made
