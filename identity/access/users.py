"""Users, who sign in to the pages.

A password is what a user can remember, and is hashed with Argon2.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.sql.dml import Delete, Update

from identity import auditing, database, passwords
from identity.access import guarding, sessions
from identity.access.names import checked
from identity.auditing import COMMAND_LINE, Deed
from identity.errors import InvalidInput, NotFound
from identity.models import User
from identity.remembering import Remembered
from identity.roles import Role

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in."""

    name: str
    role: Role
    created_at: datetime


def create_user(
    name: str, password: str, role: Role = Role.STEWARD, by: str = COMMAND_LINE
) -> None:
    """Let somebody sign in, and do what their role may."""
    name = checked(name)
    values: dict[str, object] = {
        "name": name,
        "password_hash": _hash(password, name),
        "role": role.value,
    }

    def write(connection: Connection) -> None:
        connection.execute(insert(User).values(values | {"created_at": datetime.now(UTC)}))
        guarding.begin(connection)
        auditing.record(connection, Deed.USER_CREATED, by, name)

    guarding.change(write, f"There is a user {name} already.")
    password_hash.forget()


def change_password(name: str, password: str, by: str = COMMAND_LINE) -> None:
    """Give somebody another password, which also signs them out everywhere."""
    statement = update(User).values(password_hash=_hash(password, name))
    _change(statement.where(User.name == name), name, Deed.PASSWORD_CHANGED, by)


def change_role(name: str, role: Role, by: str = COMMAND_LINE) -> None:
    """Give somebody another role, from their next request on."""
    statement = update(User).values(role=role.value)
    _change(statement.where(User.name == name), name, Deed.ROLE_CHANGED, by)


def remove_user(name: str, by: str = COMMAND_LINE) -> None:
    """Let somebody sign in no more; what they did keeps their name."""
    _change(delete(User).where(User.name == name), name, Deed.USER_REMOVED, by)


def users_by_name() -> list[Person]:
    """Return those who may sign in."""
    chosen = select(User.name, User.role, User.created_at).order_by(User.name)
    rows = database.read(lambda connection: connection.execute(chosen).all())
    return [Person(name, Role(role), created_at) for name, role, created_at in rows]


def password_hash_of(name: str) -> str | None:
    """Return what the password of a user is kept as; None when there is no such user."""
    return password_hash(name)


def is_password_of(name: str, password: str) -> bool:
    """Tell whether this is the password of that user. Takes as long when there is no such."""
    try:
        return _hasher.verify(password_hash(name) or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


def _change(statement: Update | Delete, name: str, what: Deed, by: str) -> None:
    def write(connection: Connection) -> None:
        if not connection.execute(statement).rowcount:
            raise NotFound(f"There is no user {name}.")
        if what is not Deed.ROLE_CHANGED:
            sessions.end_all(connection, name)
        guarding.begin(connection)
        auditing.record(connection, what, by, name)

    guarding.change(write)
    password_hash.forget()


def _ask(name: str) -> str | None:
    chosen = select(User.password_hash).where(User.name == name)
    return database.read(lambda connection: connection.scalar(chosen))


password_hash = Remembered(_ask)


def _hash(password: str, name: str) -> str:
    if problem := passwords.problem(password, name):
        raise InvalidInput(f"A password {problem}.")
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe())
