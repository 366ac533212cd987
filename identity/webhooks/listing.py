"""What is shown of webhooks: how each does, its messages, and each try; and sending again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from identity import auditing, database
from identity.auditing import COMMAND_LINE, Deed
from identity.errors import Conflict, NotFound
from identity.models import Delivery, Message, MessageState
from identity.webhooks import making, standing

SHOWN = 50
COUNTED = 1000
"""Messages in one state that are counted. More are told as so many or more."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try to deliver a message."""

    at: datetime
    ms: int
    status: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, and the tries to deliver it, the newest first."""

    id: int
    ident: str
    webhook_id: int
    number: int | None
    kind: str
    customer_id: int | None
    body: str
    made_at: datetime
    state: MessageState
    tries: int
    next_at: datetime | None
    ended_at: datetime | None
    deliveries: list[Try]

    @property
    def waits_for_another(self) -> bool:
        """Tell whether an earlier message of the same customer comes first."""
        return self.state == MessageState.WAITING and self.next_at is None


_columns = (
    *(Message.id, Message.ident, Message.webhook_id, Message.number, Message.kind),
    *(Message.customer_id, Message.body, Message.made_at, Message.state, Message.tries),
    *(Message.next_at, Message.ended_at),
)


def counts(connection: Connection, webhook_id: int) -> dict[MessageState, int]:
    """Return how many messages of a webhook are in each state, up to `COUNTED`."""

    def many(state: MessageState) -> int:
        mine = Message.webhook_id == webhook_id, Message.state == state.value
        some = select(Message.id).where(*mine).limit(COUNTED).subquery()
        return connection.scalar(select(func.count()).select_from(some)) or 0

    return {state: many(state) for state in MessageState}


def page(
    connection: Connection, webhook_id: int, state: MessageState | None, before: int | None
) -> tuple[list[Sent], bool]:
    """Return messages of a webhook, the newest first, and whether there are more."""
    chosen = select(*_columns).where(Message.webhook_id == webhook_id)
    chosen = chosen.order_by(Message.id.desc()).limit(SHOWN + 1)
    if state is not None:
        chosen = chosen.where(Message.state == state.value)
    if before is not None:
        chosen = chosen.where(Message.id < before)
    rows = connection.execute(chosen).all()
    tries = _tries(connection, [row.id for row in rows[:SHOWN]])
    return [_sent(row, tries) for row in rows[:SHOWN]], len(rows) > SHOWN


def get(connection: Connection, message_id: int) -> Sent:
    """Return a message; raise `NotFound` when there is none with that id."""
    row = connection.execute(select(*_columns).where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no message {message_id}.")
    return _sent(row, _tries(connection, [message_id]))


def _sent(row: Any, tries: dict[int, list[Try]]) -> Sent:
    values = dict(row._mapping) | {"state": MessageState(row.state)}
    return Sent(**values, deliveries=tries.get(row.id, []))


def _tries(connection: Connection, ids: list[int]) -> dict[int, list[Try]]:
    columns = Delivery.message_id, Delivery.at, Delivery.ms, Delivery.status, Delivery.problem
    chosen = select(*columns).where(Delivery.message_id.in_(ids)).order_by(Delivery.id.desc())
    found: dict[int, list[Try]] = {}
    for message_id, at, ms, status, problem in connection.execute(chosen):
        found.setdefault(message_id, []).append(Try(at, ms, status, problem))
    return found


def send_test(webhook_id: int, by: str = COMMAND_LINE) -> int:
    """Let a message be sent that tells of no change; return its id."""

    def write() -> int:
        with database.transaction() as connection:
            standing.get(connection, webhook_id)
            auditing.record(connection, Deed.WEBHOOK_TESTED, by, webhook_id)
            return making.test(connection, webhook_id)

    return database.retrying(write, tries=1)


def send_again(message_id: int, by: str = COMMAND_LINE) -> Sent:
    """Let a message be sent again, now, under the same id; return it as it was.

    One that waits is only brought forward.
    """

    def write() -> Sent:
        with database.transaction() as connection:
            sent = get(connection, message_id)
            if standing.held(connection, sent.webhook_id).disabled_at is not None:
                raise Conflict("The webhook is disabled: enable it first.")
            sent = get(connection, message_id)
            if sent.waits_for_another:
                raise Conflict("An earlier message of the same customer has to come first.")
            values: dict[str, Any] = {"next_at": datetime.now(UTC)}
            if sent.state != MessageState.WAITING:
                values |= {"state": MessageState.WAITING.value, "tries": 0, "ended_at": None}
            connection.execute(update(Message).where(Message.id == message_id).values(values))
            auditing.record(connection, Deed.MESSAGE_SENT_AGAIN, by, message_id)
            return sent

    return database.retrying(write, tries=1)
