"""Connections, the only commit and the only retry.

Two engines on one database. *Reading* is in autocommit from the moment it connects: a
look-up is one statement, and a transaction around it would cost three times as much.
*Deciding* (the default engine) is transactional. Nobody else opens, commits or retries.

Nobody waits longer than patience lasts, whatever the database does. What takes longer says so:
`unhurried`.
"""

from identity.database.connections import (
    NO_ROOM,
    by_index,
    has_one_writer,
    long_snapshot,
    lookups,
    only_one,
    reading,
    snapshot,
    transaction,
)
from identity.database.engines import DECIDING, READING, configure
from identity.database.patience import PATIENCE, anew, hurried, unhurried, within
from identity.database.readiness import check, revision
from identity.database.tables import Base, UtcDateTime, db
from identity.database.trying import CONTENDED, TRIES, elsewhere, read, retried, retrying

__all__ = [
    "CONTENDED",
    "DECIDING",
    "NO_ROOM",
    "PATIENCE",
    "READING",
    "TRIES",
    "Base",
    "UtcDateTime",
    "anew",
    "by_index",
    "check",
    "configure",
    "db",
    "elsewhere",
    "has_one_writer",
    "hurried",
    "long_snapshot",
    "lookups",
    "only_one",
    "read",
    "reading",
    "retried",
    "retrying",
    "revision",
    "snapshot",
    "transaction",
    "unhurried",
    "within",
]
