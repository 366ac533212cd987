"""Whose turn it is: messages of one customer reach a receiver in their order.

Each message stands in a row for every customer that it is about, and only what is first in all its
rows has a moment at which it is tried. Whoever changes the rows of a webhook holds the webhook's
own line meanwhile; else two messages that end at once would each leave it to the other to let in
the third that waits for both.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import aliased

from identity.models import Message, MessageState, Turn, Webhook


def hold(connection: Connection, webhook_ids: Iterable[int]) -> None:
    """Keep others from changing which messages of these webhooks wait for which."""
    chosen = select(Webhook.id).where(Webhook.id.in_(sorted(webhook_ids)))
    connection.execute(chosen.order_by(Webhook.id).with_for_update()).all()


def taken(connection: Connection, webhook_id: int, customers: Collection[int]) -> set[int]:
    """Return those of the customers in whose rows somebody waits."""
    chosen = select(Turn.customer_id).where(Turn.webhook_id == webhook_id).distinct()
    found: set[int] = set()
    for part in _parts(customers):
        found |= set(connection.scalars(chosen.where(Turn.customer_id.in_(part))))
    return found


def line_up(
    connection: Connection, webhook_id: int, ids: Sequence[int], about: Sequence[set[int]]
) -> None:
    """Let messages stand in the rows of the customers that they are about."""
    turns = [
        {"webhook_id": webhook_id, "customer_id": customer, "message_id": id_}
        for id_, customers in zip(ids, about, strict=True)
        for customer in customers
    ]
    connection.execute(insert(Turn), turns)


def let_in(connection: Connection, webhook_id: int, ended: Collection[int]) -> None:
    """Take messages out of their rows, and let those be tried that are first now.

    Within `hold`.
    """
    now, mine = datetime.now(UTC), Turn.message_id.in_(sorted(ended))
    customers = set(connection.scalars(select(Turn.customer_id).where(mine)))
    connection.execute(delete(Turn).where(mine))
    for part in _parts(customers):
        first = select(func.min(Turn.message_id)).where(
            Turn.webhook_id == webhook_id, Turn.customer_id.in_(part)
        )
        heads = set(connection.scalars(first.group_by(Turn.customer_id)))
        freed = sorted(heads - _behind(connection, heads))
        waiting = Message.state == MessageState.WAITING.value, Message.next_at.is_(None)
        freed_now = update(Message).where(Message.id.in_(freed), *waiting)
        connection.execute(freed_now.values(next_at=now))


def _behind(connection: Connection, ids: Collection[int]) -> set[int]:
    """Return those of the messages that stand behind another one in some row."""
    before = aliased(Turn)
    same = (before.webhook_id == Turn.webhook_id) & (before.customer_id == Turn.customer_id)
    chosen = select(Turn.message_id).join(before, same & (before.message_id < Turn.message_id))
    return set(connection.scalars(chosen.where(Turn.message_id.in_(sorted(ids)))))


def _parts(customers: Collection[int]) -> Iterable[list[int]]:
    # A ruling may take a customer apart into thousands, and a statement takes only so many values.
    ordered = sorted(customers)
    return (ordered[at : at + 5000] for at in range(0, len(ordered), 5000))
