"""The messages of webhooks that are kept no longer, and the tries to deliver them."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from identity.models import Delivery, Message, MessageState
from identity.retaining.accounts import Removed

AT_ONCE = 1000
"""Messages that go in one transaction."""


def remove(connection: Connection, until: datetime) -> Removed:
    """Remove some that came to their end longer ago."""
    ended = Message.state != MessageState.WAITING.value, Message.ended_at < until
    chosen = select(Message.id).where(*ended).order_by(Message.id).limit(AT_ONCE)
    ids = connection.scalars(chosen.with_for_update(skip_locked=True)).all()
    connection.execute(delete(Delivery).where(Delivery.message_id.in_(ids)))
    connection.execute(delete(Message).where(Message.id.in_(ids)))
    return {"messages": len(ids)}
