"""Whether callers are told apart: whoever is nobody is refused then, on this machine too.

Once there was a key or a user it stays so, and revoking the last one does not open the service.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, bindparam, delete, exists, select, text
from sqlalchemy.exc import IntegrityError

from identity import auditing, database
from identity.auditing import COMMAND_LINE, Deed
from identity.errors import Conflict, InvalidInput
from identity.models import ApiKey, Guard, User
from identity.remembering import Remembered

T = TypeVar("T")
GUARD = text(
    "INSERT INTO guard (id, since) VALUES (1, :since) ON CONFLICT (id) DO NOTHING"
).bindparams(bindparam("since", type_=database.UtcDateTime()))


def anybody() -> bool:
    """Tell whether callers are told apart: there is, or was, a key or a user."""
    return told_apart("")


def let_local_in(by: str = COMMAND_LINE) -> None:
    """Tell callers apart no more; raise `Conflict` while there is a key or a user."""

    def write(connection: Connection) -> None:
        if connection.scalar(select(exists().where(_IN_USE) | exists().where(_NAMED))):
            raise Conflict("Revoke all keys and remove all users first, or set IDENTITY_OPEN.")
        connection.execute(delete(Guard))
        auditing.record(connection, Deed.LOCAL_LET_IN, by)

    change(write)


def change(write: Callable[[Connection], T], taken: str = "") -> T:
    """Change who may ask, and remember nothing of before; `taken` says that a name is."""

    def once() -> T:
        with database.transaction() as connection:
            return write(connection)

    try:
        # Once only: done again after a connection that was lost during the commit, it would find
        # its own key and say that the name is taken.
        return database.retrying(once, tries=1)
    except IntegrityError:
        raise InvalidInput(taken) from None
    finally:
        told_apart.forget()


def begin(connection: Connection) -> None:
    """Tell callers apart from now on, whatever becomes of keys and users."""
    connection.execute(GUARD, {"since": datetime.now(UTC)})


def _ask(_: str) -> bool:
    guarded = exists().where(Guard.id.is_not(None))
    asked = select(guarded | exists().where(_IN_USE) | exists().where(_NAMED))
    return bool(database.read(lambda connection: connection.scalar(asked)))


_IN_USE, _NAMED = ApiKey.revoked_at.is_(None), User.id.is_not(None)
# What the version before made, while both run, is not guarded yet.
told_apart = Remembered(_ask)
