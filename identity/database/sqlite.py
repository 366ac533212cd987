"""Connections to SQLite: what is set for them, and how the one writer is waited for."""

import sqlite3
import time

from sqlalchemy import Connection

from identity import faults
from identity.database import patience
from identity.database.patience import PATIENCE, PERSISTENCE

# An import would otherwise read the same pages of its indexes again for each batch.
UNHURRIED, HURRIED = "PRAGMA cache_size = -32768", "PRAGMA cache_size = -2000"


def prepare(connection: sqlite3.Connection, _: object) -> None:
    """Set what holds for as long as the connection does."""
    # Python's own BEGIN comes late and is deferred: two such transactions that read and then
    # write cannot both succeed, and the loser's failure cannot be waited out.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # An answered call is durable, through a power cut too.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def never_doze(connection: sqlite3.Connection, _: object) -> None:
    """Let nobody sleep in SQLite for the writer: it is waited for in `begin_immediate`."""
    # Once connected: while connecting, SQLite's own waiting is the right one.
    connection.execute("PRAGMA busy_timeout = 0")


def begin_immediate(connection: Connection) -> None:
    """Begin to write, as soon as nobody else does."""
    sqlite = connection.connection.driver_connection
    assert isinstance(sqlite, sqlite3.Connection)
    unhurried = patience.is_unhurried()
    _settle(connection, sqlite, unhurried=unhurried)
    most = PERSISTENCE if unhurried else PATIENCE
    deadline = time.monotonic() + patience.left(most)
    while True:
        try:
            sqlite.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not faults.is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.0002)
        else:
            return


def _settle(connection: Connection, sqlite: sqlite3.Connection, *, unhurried: bool) -> None:
    """Let whoever writes much keep more at hand, for as long as they have the connection."""
    if connection.info.get("unhurried", False) is not unhurried:
        sqlite.execute(UNHURRIED if unhurried else HURRIED)
        connection.info["unhurried"] = unhurried
