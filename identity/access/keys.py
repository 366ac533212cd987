"""Who may ask: API keys, and users who sign in. Secrets are kept as hashes only.

A key is 32 random bytes, so one round of SHA-256 is as good as a slow hash and much quicker. A
password is what a user can remember, and is hashed with Argon2.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Delete, Insert, Update, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from identity import database, passwords
from identity.errors import InvalidInput, NotFound
from identity.models import ApiKey, User
from identity.remembering import Remembered

PREFIX = "idk_"
"""What every key begins with, so that a scanner of leaked secrets knows one when it sees it."""
ENVIRONMENT_KEY, ENVIRONMENT_USER = "environment", "staff"
"""What the key that the environment gives is called, and whoever signs in with its password.

Both are on record as the sources of what they brought, so neither can be called otherwise."""
RESERVED = {
    *(ENVIRONMENT_KEY, ENVIRONMENT_USER, "api", "form", "seed"),
    *("evidence", "the command line", "a browser"),
}
"""Sources of links and lines of history that are not a key's or a user's name."""

_hasher = PasswordHasher()
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
    """Return what is kept of a key."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_key(name: str, scopes: set[Scope]) -> str:
    """Make a key of that name and return its secret, which nobody can ask for again."""
    token = PREFIX + secrets.token_urlsafe(32)
    _insert(
        insert(ApiKey).values(
            name=_name(name),
            hash=hashed(token),
            scopes=" ".join(sorted(scopes)),
            created_at=datetime.now(UTC),
        ),
        f"There is a key {name} already, perhaps a revoked one. Choose another name.",
    )
    return token


def revoke_key(name: str) -> None:
    """Revoke a key; raise `NotFound` when no key of that name is in use."""
    statement = (
        update(ApiKey)
        .where(ApiKey.name == name, ApiKey.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
    )
    if not _write(statement):
        raise NotFound(f"There is no key {name} in use.")


def all_keys() -> list[Key]:
    """Return all keys, revoked ones too: their names stand in the history."""
    chosen = _KEYS.order_by(ApiKey.name)
    rows = database.read(lambda connection: connection.execute(chosen).all())
    return [_key(*row) for row in rows]


def key_of(token: str) -> Key | None:
    """Return the key of a secret; None when it is unknown or revoked."""
    return _key_with_hash(hashed(token))


def create_user(name: str, password: str) -> None:
    """Let somebody sign in."""
    values = {"password_hash": _hash(password, name), "created_at": datetime.now(UTC)}
    _insert(insert(User).values(name=_name(name), **values), f"There is a user {name} already.")


def change_password(name: str, password: str) -> None:
    """Give somebody another password, which also signs them out everywhere."""
    statement = update(User).where(User.name == name).values(password_hash=_hash(password, name))
    if not _write(statement):
        raise NotFound(f"There is no user {name}.")


def remove_user(name: str) -> None:
    """Let somebody sign in no more; what they did keeps their name."""
    if not _write(delete(User).where(User.name == name)):
        raise NotFound(f"There is no user {name}.")


def users() -> list[str]:
    """Return the names of those who may sign in."""
    chosen = select(User.name).order_by(User.name)
    return list(database.read(lambda connection: connection.scalars(chosen).all()))


def is_password_of(name: str, password: str) -> bool:
    """Tell whether this is the password of that user. Takes as long when there is no such."""
    try:
        return _hasher.verify(password_hash(name) or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


def anybody() -> bool:
    """Tell whether any key is in use or anybody may sign in."""
    return _anybody("")


def forget() -> None:
    """Ask the database afresh for whatever was remembered."""
    for remembered in (_key_with_hash, password_hash, _anybody):
        remembered.forget()


def _ask_key(hash_: str) -> Key | None:
    chosen = _KEYS.where(ApiKey.hash == hash_, ApiKey.revoked_at.is_(None))
    row = database.read(lambda connection: connection.execute(chosen).one_or_none())
    return row and _key(*row)


def _ask_password_hash(name: str) -> str | None:
    chosen = select(User.password_hash).where(User.name == name)
    return database.read(lambda connection: connection.scalar(chosen))


def _ask_anybody(_: str) -> bool:
    used = exists().where(ApiKey.revoked_at.is_(None))
    named = exists().where(User.id.is_not(None))
    return bool(database.read(lambda connection: connection.scalar(select(used | named))))


_key_with_hash = Remembered(_ask_key)
password_hash = Remembered(_ask_password_hash)
_anybody = Remembered(_ask_anybody)


def _key(name: str, scopes: str, created_at: datetime, revoked_at: datetime | None) -> Key:
    return Key(name, frozenset(map(Scope, scopes.split())), created_at, revoked_at)


def is_name(name: str) -> bool:
    """Tell whether a key or a user may be called that.

    Names are in the log, so none may be an email or a phone number; and `:` is for imports.
    """
    if not 0 < len(name) <= 100 or not name.isprintable() or set(name) & set("@:"):
        return False
    return any(map(str.isalpha, name))


def _name(name: str) -> str:
    name = name.strip()
    if not is_name(name):
        raise InvalidInput(
            "A name has 1 to 100 printable characters with a letter, and no colon and no @."
        )
    if name in RESERVED:
        raise InvalidInput(f"{name} is the source of something else. Choose another name.")
    return name


def _hash(password: str, name: str) -> str:
    if problem := passwords.problem(password, name.strip()):
        raise InvalidInput(f"A password {problem}.")
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def _insert(statement: Insert, taken: str) -> None:
    try:
        _write(statement)
    except IntegrityError:
        raise InvalidInput(taken) from None


def _write(statement: Insert | Update | Delete) -> int:
    """Return how many rows were changed."""

    def write() -> int:
        with database.transaction() as connection:
            return connection.execute(statement).rowcount

    # Once only: done again after a connection that was lost during the commit, it would find its
    # own key and say that the name is taken.
    changed = database.retrying(write, tries=1)
    forget()
    return changed
