"""What an error of a database driver means: a lost race, a passing fault, or our own mistake."""

import errno
import re
import sqlite3

import psycopg
from psycopg import errors

LOST_KEYS = {"pk_identifier", "uq_ruling_what", "pk_kept_apart", "pk_reference"}
"""The keys that somebody else may have taken first. Any other violated constraint is our bug."""
KEYS_OF_SQLITE = tuple(
    f"UNIQUE constraint failed: {name}"
    for name in ("identifier.", "ruling.what", "kept_apart.", "reference.")
)
LOST_KEY = re.compile(rf"\b({'|'.join(sorted(LOST_KEYS))})(_[0-9]+)?\b")
"""A key as it is named, also by engines that keep a table in parts: with the number of the part."""
UNIQUE_VIOLATION = "23505"
LOST_RACES = {"40001", "40P01"}
"""PostgreSQL's own refusals (SQLSTATE): serialization failure, deadlock."""
NO_ANSWER = "The database does not answer. Try again."
"""The one fault that new connections may cure."""
TOO_BUSY = "The database is too busy. Try again."
"""The one fault that is others' doing."""
TOO_LONG = "The database took too long. Try again."
"""What the database itself ends, for taking longer than its caller waits."""
FULL = "The database's disk is full."
READ_ONLY = "The database may not be written to."
NOT_MIGRATED = "The database is not migrated. Run: flask db upgrade."
DAMAGED = "The database is damaged: what is stored in it cannot be read. Restore a backup."
"""The one fault that no other try cures."""
DAMAGE = {"XX001", "XX002", "58P01"}
"""What PostgreSQL says of damage (SQLSTATE): of a table, of an index, of a file that is gone."""
DAMAGE_OF_SQLITE = sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB
OF_SQLITE = {
    sqlite3.SQLITE_BUSY: TOO_BUSY,
    sqlite3.SQLITE_LOCKED: TOO_BUSY,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: "The disk of the database's file fails.",
    sqlite3.SQLITE_CANTOPEN: "The database's file cannot be opened.",
}
OF_DISK = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY, errno.EACCES: READ_ONLY}
PASSING = (
    psycopg.OperationalError,
    # A replica refuses to write until it is the primary: on new connections we may meet that one.
    errors.ReadOnlySqlTransaction,
    # Who stood still in the middle of something is no longer listened to.
    errors.IdleInTransactionSessionTimeout,
    sqlite3.OperationalError,
)


def lost_race(cause: BaseException | None) -> bool:
    """Tell whether somebody else decided first."""
    # PostgreSQL names the constraint; SQLite names its columns, in a sentence.
    if isinstance(cause, psycopg.Error):
        named = cause.diag.constraint_name or _violated(cause)
        return bool(LOST_KEY.search(named)) or cause.sqlstate in LOST_RACES
    return str(cause).startswith(KEYS_OF_SQLITE)


def _violated(error: psycopg.Error) -> str:
    # An engine that keeps a table in parts may give no name and call it an internal error, as it
    # calls much else: Citus does.
    told = error.diag.message_primary or ""
    is_key = error.sqlstate == UNIQUE_VIOLATION or "duplicate key value" in told
    return told if is_key else ""


def sentence(cause: BaseException | None) -> str | None:
    """Return what the database could not do; None when the mistake is ours."""
    if is_damage(cause):
        return DAMAGED
    if isinstance(cause, errors.UndefinedTable) or "no such table" in str(cause):
        return NOT_MIGRATED
    if isinstance(cause, errors.LockNotAvailable):
        return TOO_BUSY
    if isinstance(cause, errors.QueryCanceled):
        return TOO_LONG
    if isinstance(cause, errors.DiskFull):
        return FULL
    known = OF_SQLITE.get(_sqlite_code(cause) or 0)
    return known or (NO_ANSWER if isinstance(cause, PASSING) else None)


def of_disk(error: OSError) -> str:
    """Return why a disk could not be written to."""
    return OF_DISK.get(error.errno or 0, OF_SQLITE[sqlite3.SQLITE_IOERR])


def is_busy(cause: BaseException | None) -> bool:
    """Tell whether another writer holds the SQLite file."""
    return _sqlite_code(cause) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_damage(error: BaseException | None) -> bool:
    """Tell whether the database's own files are damaged: by what a driver said, or came of that."""
    if error is None:
        return False
    if isinstance(error, psycopg.Error):
        return error.sqlstate in DAMAGE
    if isinstance(error, sqlite3.Error):
        # Of text that is none, Python tells without a code.
        undecoded = str(error).startswith("Could not decode to UTF-8")
        return undecoded or _sqlite_code(error) in DAMAGE_OF_SQLITE
    return is_damage(getattr(error, "orig", None) or error.__cause__)


def _sqlite_code(cause: BaseException | None) -> int | None:
    # The lowest byte says what happened, the others say where.
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
