"""What an error of a database driver means: a lost race, a passing fault, or our own mistake."""

import sqlite3

import psycopg
from psycopg import errors

LOST_KEYS = {"pk_identifier", "pk_link"}
"""The keys that somebody else may have taken first. Any other violated constraint is our bug.

PostgreSQL does not say in which order it runs the parts of one statement, so two calls with
the same new pair may meet at the link before they meet at the identifiers."""
LOST_RACES = {"40001", "40P01"}
"""PostgreSQL's own refusals (SQLSTATE): serialization failure, deadlock."""
NO_ANSWER = "The database does not answer. Try again."
"""The one fault that new connections may cure."""
TOO_BUSY = "The database is too busy. Try again."
"""The one fault that is others' doing."""


def lost_race(cause: BaseException | None) -> bool:
    """Tell whether somebody else decided first."""
    # PostgreSQL names the constraint; SQLite names its columns, in a sentence.
    if isinstance(cause, psycopg.Error):
        return cause.diag.constraint_name in LOST_KEYS or cause.sqlstate in LOST_RACES
    return str(cause).startswith(
        ("UNIQUE constraint failed: identifier.", "UNIQUE constraint failed: link.")
    )


def sentence(cause: BaseException | None) -> str | None:
    """Return what the database could not do; None when the mistake is ours."""
    if isinstance(cause, errors.UndefinedTable) or "no such table" in str(cause):
        return "The database is not migrated. Run: flask db upgrade."
    if isinstance(cause, errors.LockNotAvailable) or is_busy(cause):
        return TOO_BUSY
    if _sqlite_code(cause) == sqlite3.SQLITE_READONLY:
        return "The database may not be written to."
    # A replica refuses to write until it is the primary: on new connections we may meet that one.
    passing = psycopg.OperationalError | errors.ReadOnlySqlTransaction | sqlite3.OperationalError
    if isinstance(cause, passing):
        return NO_ANSWER
    return None


def is_busy(cause: BaseException | None) -> bool:
    """Tell whether another writer holds the SQLite file."""
    return _sqlite_code(cause) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _sqlite_code(cause: BaseException | None) -> int | None:
    # The lowest byte says what happened, the others say where.
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
