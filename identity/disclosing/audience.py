"""Who was told of somebody, as far as it is on record: looks, exports, webhooks, and keys.

Whom a program asks for with its key is nowhere: the log tells the key, the kind of question and
the moment. So all keys that could be asked with are named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Select, func, select

from identity.auditing import Deed
from identity.disclosing.meeting import Collected
from identity.models import ApiKey, Audit, Message, MessageState, Webhook

ASKED = 5_000
"""Ids that are asked about at once. Each time, all lines of those kinds are looked through."""
OF_CUSTOMER = (*(Deed.CUSTOMER_OPENED, Deed.LOOKED_UP, Deed.RECORD_TAKEN, Deed.ACCESS_GIVEN),)
"""What somebody does to one customer, named by the id of a contact."""

_audit = Audit.table().c
_columns = _audit.id, _audit.at, _audit.who, _audit.what, _audit.about
_key = ApiKey.table().c
_message = Message.table().c
_webhook = Webhook.table().c


@dataclass(frozen=True, slots=True)
class Look:
    """That a person looked at somebody, or took a file away in which they are."""

    at: datetime
    who: str | None
    what: Deed
    about: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What one webhook was told of somebody: ids, and what happened to them."""

    webhook_id: int
    host: str
    """Where its address leads. The rest of an address often holds a token, and is told nobody."""
    messages: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """A key by which a program could ask for somebody."""

    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


def looks(connection: Connection, met: Collected) -> Iterator[Look]:
    """Yield who looked, and who took files away since anything was told; the oldest first."""
    found: dict[int, Look] = {}
    of_customer = _audit.what.in_([deed.value for deed in OF_CUSTOMER])
    for ids in _chunks(met.ids):
        chosen = select(*_columns).where(of_customer, _audit.about.in_(list(map(str, ids))))
        found |= _read(connection, chosen)
    for ids in _chunks(met.imports):
        taken = _audit.what == Deed.REJECTS_TAKEN.value, _audit.about.in_(list(map(str, ids)))
        found |= _read(connection, select(*_columns).where(*taken))
    exported = _audit.what == Deed.EXPORTED.value, _audit.at >= met.first
    found |= _read(connection, select(*_columns).where(*exported))
    yield from (found[id_] for id_ in sorted(found))


def _read(connection: Connection, chosen: Select[*tuple[Any, ...]]) -> dict[int, Look]:
    rows = connection.execute(chosen)
    return {id_: Look(at, who, Deed(what), about) for id_, at, who, what, about in rows}


def sent(connection: Connection, met: Collected) -> Iterator[Sent]:
    """Yield what webhooks were told."""
    found: dict[int, Sent] = {}
    for ids in _chunks(met.ids):
        chosen = (
            select(
                *(_webhook.id, _webhook.url, func.count()),
                *(func.min(_message.ended_at), func.max(_message.ended_at)),
            )
            .join_from(Message.table(), Webhook.table(), _webhook.id == _message.webhook_id)
            .where(_message.state == MessageState.DELIVERED.value, _message.customer_id.in_(ids))
            .group_by(_webhook.id, _webhook.url)
        )
        for row in connection.execute(chosen):
            webhook_id, url, *more = row
            each = Sent(webhook_id, urlsplit(url).hostname or "", *more)
            before = found.get(each.webhook_id)
            found[each.webhook_id] = _together(before, each) if before else each
    yield from (found[id_] for id_ in sorted(found))


def _together(one: Sent, other: Sent) -> Sent:
    return Sent(
        *(one.webhook_id, one.host, one.messages + other.messages),
        *(min(one.first, other.first), max(one.last, other.last)),
    )


def readers(connection: Connection, met: Collected) -> Iterator[Reader]:
    """Yield the keys that could be asked with since something was told first."""
    chosen = select(_key.name, _key.scopes, _key.created_at, _key.revoked_at).order_by(_key.id)
    for name, scopes, created_at, revoked_at in connection.execute(chosen):
        if revoked_at is None or revoked_at > met.first:
            yield Reader(name, tuple(scopes.split()), created_at, revoked_at)


def _chunks(ids: set[int]) -> Iterator[list[int]]:
    ahead = iter(sorted(ids))
    while chunk := list(islice(ahead, ASKED)):
        yield chunk
