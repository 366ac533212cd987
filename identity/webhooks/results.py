"""What came of tries, written down: what is tried again and when, and who is given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, insert, select, update

from identity.models import Delivery, Message, MessageState, Webhook
from identity.webhooks import schedule, standing, turns
from identity.webhooks.claiming import Claimed
from identity.webhooks.sending import Outcome

DELIVERER = "the deliverer"
GONE = "The receiver answered 410: it wants nothing more."
GIVEN_UP = "Nothing could be delivered for five days."
RECOVERED = schedule.AGAIN[1]
"""A receiver that failed for longer, or was left alone, is sent what waits when it is back."""


@dataclass(frozen=True, slots=True)
class Result:
    """A message, and what came of one try to deliver it."""

    message: Claimed
    at: datetime
    outcome: Outcome


def note(connection: Connection, results: Sequence[Result], who: str) -> None:
    """Write down what came of tries, in the order in which they came to an end."""
    ordered = sorted(results, key=lambda result: result.message.webhook_id)
    turns.hold(connection, {result.message.webhook_id for result in ordered})
    for webhook_id, group in groupby(ordered, key=lambda result: result.message.webhook_id):
        mine = list(group)
        connection.execute(insert(Delivery), [_delivery(each) for each in mine])
        ended = [each.message.id for each in mine if _ended(connection, each, who)]
        if ended:
            turns.let_in(connection, webhook_id, ended)
        _judge(connection, webhook_id, mine)


def _delivery(result: Result) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "message_id": result.message.id,
        "at": result.at,
        "ms": outcome.ms,
        "status": outcome.status,
        "problem": outcome.problem,
    }


def _ended(connection: Connection, result: Result, who: str) -> bool:
    """Settle what becomes of a message; tell whether that is its end."""
    now, message, outcome = datetime.now(UTC), result.message, result.outcome
    its, waiting = [Message.id == message.id], Message.state == MessageState.WAITING.value
    values: dict[str, Any] = {"tries": message.tries + 1, "leased_by": None, "leased_until": None}
    if outcome.succeeded:
        # Given up while it was under way, as with its webhook, it has been delivered all the same.
        its.append(Message.state != MessageState.DELIVERED.value)
        values |= {"state": MessageState.DELIVERED.value, "next_at": None, "ended_at": now}
    else:
        # Somebody else has it by now, who will settle what becomes of it.
        its += [waiting, Message.leased_by == who]
        asked = schedule.waited_for(outcome.retry_after, now)
        values["next_at"] = schedule.next_try(now, message.tries + 1, asked)
        if message.is_test or values["next_at"] is None:
            values |= {"state": MessageState.FAILED.value, "next_at": None, "ended_at": now}
    changed = connection.execute(update(Message).where(*its).values(values)).rowcount
    return "ended_at" in values and bool(changed)


def _judge(connection: Connection, webhook_id: int, results: Sequence[Result]) -> None:
    """Note how a receiver does: well, badly, with too much to do, or not at all any more."""
    columns = Webhook.failing_since, Webhook.failed_at, Webhook.rests_until
    row = connection.execute(select(*columns).where(Webhook.id == webhook_id)).one()
    since, last, rests = row
    for result in results:
        now, outcome = datetime.now(UTC), result.outcome
        if outcome.succeeded:
            if rests is not None or (since is not None and now - since > RECOVERED):
                standing.at_once(connection, webhook_id)
            since = last = rests = None
            continue
        since, last = schedule.begun(now, since, last), now
        asked = schedule.waited_for(outcome.retry_after, now)
        rests = schedule.rest(now, since, outcome.status, asked) or rests
        if outcome.status == schedule.GONE:
            standing.give_up(connection, webhook_id, GONE, DELIVERER)
        elif schedule.is_given_up(now, since):
            standing.give_up(connection, webhook_id, GIVEN_UP, DELIVERER)
    if (since, last, rests) != tuple(row):
        values = {"failing_since": since, "failed_at": last, "rests_until": rests}
        connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(values))
