"""Erasures and whoever writes meanwhile: one of the two waits, or begins anew."""

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from identity.errors import LostRace
from identity.forgetting import memory

SHUT_OUT = text("LOCK TABLE identifier IN SHARE ROW EXCLUSIVE MODE")
# It deletes nothing, and holds the table as whoever writes an identifier does.
HELD = "WITH held AS (DELETE FROM identifier WHERE false RETURNING 1) "
IS_LATER = "SELECT EXISTS (SELECT 1 FROM erasure WHERE id > :up_to)"
HOLD_OUT = {"sqlite": text(IS_LATER), "postgresql": text(HELD + IS_LATER)}
SHORTLY = "1500ms"
"""How long that is waited for: whoever brings something new waits behind it.

Longer than the second (`deadlock_timeout`) after which PostgreSQL's own vacuuming makes way.
"""
TIMEOUT = text("SELECT current_setting('lock_timeout')")
SET_TIMEOUT = text("SELECT set_config('lock_timeout', :timeout, true)")


def hold_out(connection: Connection, up_to: int) -> None:
    """Let nobody be erased until this transaction ends; raise `LostRace` if somebody was.

    For whoever writes a text in which somebody may stand, and no identifier: the statement that
    writes identifiers does the same by itself. With customers locked, as there.
    """
    if connection.scalar(HOLD_OUT[connection.dialect.name], {"up_to": up_to}):
        memory.of(connection).catch_up(connection)
        raise LostRace("somebody was erased meanwhile")


def shut_out(connection: Connection) -> bool:
    """Wait for whoever is writing new identifiers, and let nobody begin until the end.

    Last in the transaction that puts hashes on record, with customers locked, and before the
    erasure has its number: whoever wrote before is on record by then, and whoever writes afterwards
    sees that there is an erasure.

    Whoever writes identifiers has locked their customers before, and waits for nobody then. But for
    one: who read an identifier as unknown, which another call commits and the erasure deletes,
    inserts it and waits for the erasure, which waits here. PostgreSQL ends one of the two after a
    second, and that one is tried again. Raise `LostRace` when it takes longer, as while the table
    is being vacuumed.

    Tell whether others could write at all since this transaction began.
    """
    if connection.dialect.name != "postgresql":
        return False
    before = connection.scalar(TIMEOUT)
    connection.execute(SET_TIMEOUT, {"timeout": SHORTLY})
    try:
        connection.execute(SHUT_OUT)
    except DBAPIError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise LostRace("others are at the identifiers") from error
        raise
    connection.execute(SET_TIMEOUT, {"timeout": before})
    return True
