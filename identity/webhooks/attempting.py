"""One try: a message is signed and sent, and what came of it told."""

import secrets
from datetime import UTC, datetime

from identity import database
from identity.errors import IdentityError
from identity.webhooks import claiming, results, sending, signing
from identity.webhooks.addresses import Rules
from identity.webhooks.claiming import Claimed
from identity.webhooks.results import Result
from identity.webhooks.sending import Outcome


def attempt(message: Claimed, at: datetime, key: str, rules: Rules) -> Outcome:
    """Sign a message and send it, once."""
    try:
        keys = [signing.unseal(each, key) for each in message.sealed]
    except IdentityError as error:
        return Outcome(0, problem=str(error))
    headers = signing.headers(message.ident, at, message.body, keys)
    return sending.send(message.url, message.body, headers, rules)


def send_now(message_id: int, key: str, rules: Rules) -> Outcome | None:
    """Send one message in this process, and return what came of it; None if it is under way."""
    who = secrets.token_urlsafe(12)

    def take() -> list[Claimed]:
        with database.transaction() as connection:
            return claiming.claim(connection, lambda _: 1, who, only=message_id)

    taken = database.retrying(take)
    if not taken:
        return None
    at = datetime.now(UTC)
    outcome = attempt(taken[0], at, key, rules)

    def write() -> None:
        with database.transaction() as connection:
            results.note(connection, [Result(taken[0], at, outcome)], who)

    database.retrying(write)
    return outcome
