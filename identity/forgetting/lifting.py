"""A person comes back on their own wish: what was erased may be told again.

Nothing returns by itself. Each hash is of one identifier, and others may have been erased with it
that are somebody else's; so only what is named is lifted, unless all of it is asked for.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update

from identity import auditing, database
from identity.auditing import Deed
from identity.errors import Conflict, NotFound
from identity.forgetting import hashes, memory
from identity.forgetting.keys import named
from identity.identifiers import Value
from identity.models import Erased, Erasure

NONE = "None of this was erased, as far as the keys that are set can tell. Nothing was changed."
NONE_OF_KEY = "Nobody on record was erased with the key {key}. Nothing was changed."
NOT_LOST = "The key {key} is not lost: it is among those that are set. Nothing was changed."


def lift(
    values: Collection[Value], by: str, reason: str | None, *, together: bool = False
) -> list[int]:
    """Let identifiers be told again; return the erasures that they were of.

    `together` lifts all that was erased with them. Raise `NotFound` when none was erased.
    """

    def write() -> list[int]:
        with database.transaction() as connection:
            found = sorted(hashes.lift(connection, values))
            if not found:
                raise NotFound(NONE)
            for erasure_id in found:
                note(connection, erasure_id, by, reason, datetime.now(UTC))
                if together:
                    connection.execute(delete(Erased).where(Erased.erasure_id == erasure_id))
        return found

    return database.retrying(write)


def held_by(version: int) -> int:
    """Return how many erasures have hashes of a key's version."""
    return database.read(lambda connection: _many_of_key(connection, version))


def give_up(version: int, by: str) -> int:
    """Forget the hashes of a key that is lost for good; return how many erasures lose by it.

    Whoever was erased with it may be told again. Raise `NotFound` when there are none of it, and
    `Conflict` when that key is there.
    """

    def write() -> int:
        with database.transaction() as connection:
            keys = memory.of(connection).keys
            keys.reload()
            if version in keys.versions():
                raise Conflict(NOT_LOST.format(key=named(version)))
            found = _many_of_key(connection, version)
            if not found:
                raise NotFound(NONE_OF_KEY.format(key=named(version)))
            about = f"key {named(version)}"
            lost = _lifted(by, datetime.now(UTC), f"The {about} was given up.")
            losing = update(Erasure).where(Erasure.id.in_(_of_key(version)))
            connection.execute(losing.values(**lost))
            connection.execute(delete(Erased).where(Erased.version == version))
            auditing.record(connection, Deed.ERASURE_KEY_GIVEN_UP, by, about)
            return found

    return database.retrying(write)


def _of_key(version: int) -> Select[int]:
    return select(Erased.erasure_id).where(Erased.version == version).distinct()


def _many_of_key(connection: Connection, version: int) -> int:
    return connection.scalar(select(func.count()).select_from(_of_key(version).subquery())) or 0


def note(
    connection: Connection, erasure_id: int, by: str, reason: str | None, at: datetime
) -> None:
    """Say of an erasure that it was lifted, in whole or in part, and in the audit trail."""
    lifted = _lifted(by, at, reason)
    connection.execute(update(Erasure).where(Erasure.id == erasure_id).values(**lifted))
    auditing.record(connection, Deed.ERASURE_LIFTED, by, erasure_id)


def _lifted(by: str, at: datetime, reason: str | None) -> dict[str, Any]:
    return {"lifted_by": by, "lifted_at": at, "lifted_reason": reason}
