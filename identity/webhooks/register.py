"""The webhooks there are: made, changed and removed, each with a line in the audit trail."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, func, insert, select, update

from identity import auditing, database, feed
from identity.auditing import COMMAND_LINE, Deed
from identity.comparing import Became
from identity.errors import Conflict, InvalidInput
from identity.models import Webhook
from identity.webhooks import addresses, signing, standing
from identity.webhooks.addresses import Rules
from identity.webhooks.standing import THERE

T = TypeVar("T")
MOST = 20
"""Webhooks at once. Each may keep eight connections open."""
BOTH_VALID = timedelta(hours=24)
"""How long messages are signed with the old secret too, after it was rotated."""
KEPT_NO_MORE = (
    "It was told changes up to {told:,}, and those up to {begins:,} are kept no more. Leave out "
    "what happened meanwhile (--from-now), and let the receiver begin again at GET /changes/start."
)
KINDS = tuple(became.value for became in Became)
"""What may become of a customer, and a webhook may ask to hear of."""


def add(
    url: str, kinds: Iterable[str], rules: Rules, key: str, by: str = COMMAND_LINE
) -> tuple[int, str]:
    """Make a webhook of all that is changed from now on; return its id and its secret.

    Nobody can ask for the secret again. `key` is the secret of the service.
    """
    url, wanted, secret = addresses.check(url, rules), _kinds(kinds), signing.new_secret()
    feed.publish()

    def write(connection: Connection) -> int:
        many = connection.scalar(select(func.count()).select_from(Webhook).where(THERE)) or 0
        if many >= MOST:
            raise Conflict(f"There are {MOST} webhooks, which is the most there may be.")
        statement = (
            insert(Webhook)
            .values(
                url=url,
                kinds=wanted,
                secret=signing.seal(secret, key),
                created_at=datetime.now(UTC),
                created_by=by,
                told=feed.latest(connection),
            )
            .returning(Webhook.id)
        )
        made: int = connection.execute(statement).scalar_one()
        auditing.record(connection, Deed.WEBHOOK_ADDED, by, made)
        return made

    return _once(write), secret


def _kinds(kinds: Iterable[str]) -> str | None:
    """Return the kinds as they are kept."""
    wanted = {kind.removeprefix("customer.") for kind in kinds}
    if unknown := wanted - set(KINDS):
        sentence = f"kinds: there is no kind of change {sorted(unknown)[0]}."
        raise InvalidInput("A webhook can only hear of what happens.", {"kinds": sentence})
    chosen = [f"customer.{kind}" for kind in KINDS if kind in wanted]
    return None if len(chosen) in (0, len(KINDS)) else " ".join(chosen)


def rotate(webhook_id: int, key: str, by: str = COMMAND_LINE, *, at_once: bool = False) -> str:
    """Give a webhook another secret, and return it.

    For a day messages are signed with both, unless the old one is to be good for nothing at once.
    """
    secret = signing.new_secret()

    def write(connection: Connection) -> str:
        standing.held(connection, webhook_id)
        until = None if at_once else datetime.now(UTC) + BOTH_VALID
        changed = update(Webhook).where(Webhook.id == webhook_id, THERE)
        kept = None if at_once else Webhook.secret
        sealed = signing.seal(secret, key)
        connection.execute(changed.values(old_secret=kept, old_until=until, secret=sealed))
        auditing.record(connection, Deed.WEBHOOK_ROTATED, by, webhook_id)
        return secret

    return _once(write)


def enable(webhook_id: int, by: str = COMMAND_LINE, *, from_now: bool = False) -> None:
    """Let a webhook be sent messages again: of what happened meanwhile too, unless told not to.

    Raise `Conflict` when it is not disabled, or some of that is kept no more.
    """
    feed.publish()

    def write(connection: Connection) -> None:
        # Held, or a sweep that took no account of it could remove what it is to be told.
        hook, begins = standing.held(connection, webhook_id), feed.hold(connection)
        if hook.disabled_at is None:
            raise Conflict(f"Webhook {webhook_id} is not disabled.")
        if hook.told < begins and not from_now:
            raise Conflict(KEPT_NO_MORE.format(told=hook.told, begins=begins))
        free = {"disabled_at": None, "disabled_why": None, "rests_until": None}
        fresh: dict[str, object] = {**free, "failing_since": None, "failed_at": None}
        if from_now:
            fresh["told"] = feed.latest(connection)
            standing.drop(connection, webhook_id)
        connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(fresh))
        standing.at_once(connection, webhook_id)
        auditing.record(connection, Deed.WEBHOOK_ENABLED, by, webhook_id)

    _once(write)


def disable(webhook_id: int, by: str = COMMAND_LINE) -> None:
    """Send a webhook nothing, until it is enabled."""

    def write(connection: Connection) -> None:
        if standing.held(connection, webhook_id).disabled_at is not None:
            raise Conflict(f"Webhook {webhook_id} is disabled already.")
        standing.give_up(connection, webhook_id, f"By {by}.", by)

    _once(write)


def remove(webhook_id: int, by: str = COMMAND_LINE) -> None:
    """Send a webhook nothing any more. What was delivered stays on record, its secrets do not."""

    def write(connection: Connection) -> None:
        standing.held(connection, webhook_id)
        standing.drop(connection, webhook_id)
        gone = {"removed_at": datetime.now(UTC), "secret": "", "old_secret": None}
        connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(gone))
        auditing.record(connection, Deed.WEBHOOK_REMOVED, by, webhook_id)

    _once(write)


def _once(write: Callable[[Connection], T]) -> T:
    def once() -> T:
        with database.transaction() as connection:
            return write(connection)

    # Done again after a connection was lost in the commit, it would make a second webhook.
    return database.retrying(once, tries=1)
