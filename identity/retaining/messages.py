"""The messages of webhooks that are kept no longer, and the tries to deliver them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from identity.models import Delivery, Message, MessageState, Turn, Webhook
from identity.retaining.accounts import Removed

_waiting = Message.state == MessageState.WAITING.value


def remove(connection: Connection, until: datetime, rows: int) -> Removed:
    """Remove some that came to their end longer ago."""
    chosen = select(Message.id).where(~_waiting, Message.ended_at < until)
    chosen = chosen.order_by(Message.id).limit(rows).with_for_update(skip_locked=True)
    return _gone(connection, connection.scalars(chosen).all())


def remove_waiting(connection: Connection, until: datetime, rows: int) -> Removed:
    """Remove some that wait for a webhook that has been disabled for longer.

    It is told again what they tell when it is enabled, as long as the feed keeps it.
    """
    old = _waiting, Message.made_at < until
    given_up = select(Webhook.id).join(Message, Message.webhook_id == Webhook.id)
    given_up = given_up.where(Webhook.disabled_at < until, *old).order_by(Webhook.id).limit(1)
    webhook_id = connection.scalar(given_up)
    if webhook_id is None:
        return {}
    # It may be enabled at this very moment.
    own = Webhook.id == webhook_id
    held = select(Webhook.id).where(own, Webhook.disabled_at < until).with_for_update()
    if connection.scalar(held) is None:
        return {}
    first = select(func.min(Message.number)).where(Message.webhook_id == webhook_id, *old)
    if number := connection.scalar(first):
        back = update(Webhook).where(own, Webhook.told >= number)
        connection.execute(back.values(told=number - 1))
    chosen = select(Message.id).where(Message.webhook_id == webhook_id, *old)
    return _gone(connection, connection.scalars(chosen.order_by(Message.id).limit(rows)).all())


def _gone(connection: Connection, ids: Sequence[int]) -> Removed:
    for model in Turn, Delivery:
        connection.execute(delete(model).where(model.message_id.in_(ids)))
    connection.execute(delete(Message).where(Message.id.in_(ids)))
    return {"messages": len(ids)}
