"""API keys, for programs.

A key is 32 random bytes, so one round of SHA-256 is as good as a slow hash and much quicker.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from identity import auditing, database
from identity.access import guarding
from identity.access.names import checked
from identity.auditing import COMMAND_LINE, Deed
from identity.errors import NotFound
from identity.models import ApiKey
from identity.remembering import Remembered

PREFIX = "idk_"
"""What every key begins with, so that a scanner of leaked secrets knows one when it sees it."""

_KEYS = select(ApiKey.name, ApiKey.scopes, ApiKey.created_at, ApiKey.revoked_at)


class Scope(StrEnum):
    """What a key is good for."""

    IDENTIFY = "identify"
    """Identify and look up, with full answers."""
    RESOLVE = "resolve"
    """Identify, answered with the primary's id and masked values: to join, not to read."""
    READ = "read"
    """Look up and read figures; nothing that changes anything."""
    STEWARD = "steward"
    """Plan rulings, apply them and take them back; nothing else."""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, without its secret."""

    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None


def hashed(token: str) -> str:
    """Return what is kept of a secret that is random enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_key(name: str, scopes: set[Scope], by: str = COMMAND_LINE) -> str:
    """Make a key of that name and return its secret, which nobody can ask for again."""
    token, name = PREFIX + secrets.token_urlsafe(32), checked(name)

    def write(connection: Connection) -> None:
        connection.execute(
            insert(ApiKey).values(
                name=name,
                hash=hashed(token),
                scopes=" ".join(sorted(scopes)),
                created_at=datetime.now(UTC),
            )
        )
        guarding.begin(connection)
        auditing.record(connection, Deed.KEY_CREATED, by, name)

    taken = f"There is a key {name} already, perhaps a revoked one. Choose another name."
    guarding.change(write, taken)
    with_hash.forget()
    return token


def revoke_key(name: str, by: str = COMMAND_LINE) -> None:
    """Revoke a key; raise `NotFound` when no key of that name is in use."""
    statement = (
        update(ApiKey)
        .where(ApiKey.name == name, ApiKey.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
    )

    def write(connection: Connection) -> None:
        if not connection.execute(statement).rowcount:
            raise NotFound(f"There is no key {name} in use.")
        guarding.begin(connection)
        auditing.record(connection, Deed.KEY_REVOKED, by, name)

    guarding.change(write)
    with_hash.forget()


def all_keys() -> list[Key]:
    """Return all keys, revoked ones too: their names stand in the history."""
    chosen = _KEYS.order_by(ApiKey.name)
    rows = database.read(lambda connection: connection.execute(chosen).all())
    return [_key(*row) for row in rows]


def key_of(token: str) -> Key | None:
    """Return the key of a secret; None when it is unknown or revoked."""
    return with_hash(hashed(token))


def _ask(hash_: str) -> Key | None:
    chosen = _KEYS.where(ApiKey.hash == hash_, ApiKey.revoked_at.is_(None))
    row = database.read(lambda connection: connection.execute(chosen).one_or_none())
    return row and _key(*row)


with_hash = Remembered(_ask)


def _key(name: str, scopes: str, created_at: datetime, revoked_at: datetime | None) -> Key:
    return Key(name, frozenset(map(Scope, scopes.split())), created_at, revoked_at)
