"""The statements of a new contact, sent by a loop that does nothing else."""

import itertools
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from identity.clusters import FIND
from identity.identifiers import Kind
from identity.prepared import Prepared
from identity.writing.contacts import CLAIM, CONTACT, CONTACT_AND_ALL, EVENT, IDENTIFIERS

_strangers = itertools.count()
FIND_BOTH = FIND[(Kind.EMAIL, Kind.PHONE), False]


def rate(url: str, seconds: float) -> float:
    """Return new contacts a second, from one connection."""
    send = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
    done, begun = 0, time.perf_counter()
    while time.perf_counter() < begun + seconds:
        send(_stranger())
        done += 1
    return done / (time.perf_counter() - begun)


def _stranger() -> dict[str, Any]:
    number = next(_strangers)
    email, phone_number = f"bare{number}@example.com", f"+4930{number:08}"
    now = datetime.now(UTC)
    return {
        **dict.fromkeys(("email", "given_email", "said_email", "new_email"), email),
        **dict.fromkeys(
            ("phone_number", "given_phone_number", "said_phone_number", "new_phone_number"),
            phone_number,
        ),
        **dict.fromkeys(("now", "created"), now),
        **dict.fromkeys(("linked_to", "about", "detail")),
        "told_by": "bare",
        "event_kind": "contact_created",
        "precedence": "primary",
        "brought_kind": "email",
    }


def _postgresql(url: str) -> Any:
    connection = psycopg.connect(url, autocommit=True)
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    texts = [str(each.statement.compile(dialect=dialect)) for each in (FIND_BOTH, CONTACT_AND_ALL)]

    def send(values: dict[str, Any]) -> None:
        for text in texts:
            connection.execute(text, values).fetchall()

    return send


def _sqlite(url: str) -> Any:
    connection = sqlite3.connect(make_url(url).database or "", isolation_level=None, timeout=10)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")

    def compiled(prepared: Prepared) -> tuple[str, list[str]]:
        compiled = prepared.statement.compile(dialect=SQLiteDialect_pysqlite())
        return str(compiled), list(compiled.positiontup or ())

    find, contact, identifiers, event, claim = map(
        compiled, (FIND_BOTH, CONTACT, IDENTIFIERS, EVENT, CLAIM)
    )

    def send(values: dict[str, Any]) -> None:
        values["now"] = values["created"] = values["now"].strftime("%Y-%m-%d %H:%M:%S.%f")

        def execute(text: str, names: list[str]) -> list[Any]:
            return connection.execute(text, [values[name] for name in names]).fetchall()

        execute(*find)
        connection.execute("BEGIN IMMEDIATE")
        [(values["about"],)] = execute(*contact)
        execute(*identifiers)
        [(values["place"],)] = execute(*event)
        execute(*claim)
        connection.execute("COMMIT")

    return send
