"""Shops that share one PostgreSQL database, each in a schema of its own."""

from typing import Any

from identity.errors import Unavailable

ASK = "SELECT split_part(current_setting('search_path'), ',', 1), current_schema()"
KEEP = "SELECT set_config('search_path', quote_ident(current_schema()), false)"


def keep_to_own(connection: Any, _: object) -> None:
    """Let a connection see one schema only, where its search path begins with one.

    Raise `Unavailable` when there is none of that name. PostgreSQL would pass over it, and over one
    that is not migrated yet, and give what comes after: the tables of another shop.
    """
    before, connection.autocommit = connection.autocommit, True
    ((first, schema),) = connection.execute(ASK).fetchall()
    name = _name(first)
    if name and schema == name:
        connection.execute(KEEP)
    connection.autocommit = before
    if name and schema != name:
        connection.close()
        raise Unavailable(
            f"The database has no schema {name}, or this user may not use it. "
            f"Make it: CREATE SCHEMA {first.strip()}."
        )


def _name(written: str) -> str:
    """Return the name of a schema; empty for PostgreSQL's own default, which names no one."""
    written = written.strip()
    if written.startswith('"'):
        name = written[1:-1].replace('""', '"')
        return "" if name == "$user" else name
    return written.lower()
