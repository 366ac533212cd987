"""Run the migrations through the application's own engine."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection

from identity.database import Base, db, unhurried
from identity.database.migrating import alone, wait_for_others

# The application's logging is in charge; a second configuration would silence it.
logging.getLogger("alembic").setLevel(logging.INFO)

# Indexes made where PostgreSQL has the extension for them, and a table that the version before last
# wrote for as long as it served.
UNKNOWN_TO_MODELS = "ix_identifier_value", "ix_reference_name", "link"

settings = {
    "target_metadata": Base.metadata,
    # SQLite cannot alter most of a table in place; a batch makes a new one and copies.
    "render_as_batch": True,
    "compare_type": True,
    "compare_server_default": True,
    "include_name": lambda name, *_: name not in UNKNOWN_TO_MODELS,
}


def run() -> None:
    """Apply what is asked for, or print it as SQL when a person wants to read it first."""
    if context.is_offline_mode():
        context.configure(url=str(db.engine.url), literal_binds=True, **settings)
        with context.begin_transaction():
            context.run_migrations()
        return
    with alone(), unhurried(), db.engine.connect() as connection, _unreferenced(connection):
        context.configure(connection=connection, **settings)
        with context.begin_transaction():
            wait_for_others(connection)
            context.run_migrations()


@contextmanager
def _unreferenced(connection: Connection) -> Iterator[None]:
    """Let SQLite replace a table that others refer to, and check the references afterwards."""
    if connection.dialect.name != "sqlite":
        yield
        return
    sqlite = connection.connection.driver_connection
    # Inside a transaction, which is where migrations run, this would do nothing.
    sqlite.execute("PRAGMA foreign_keys = OFF")
    yield
    sqlite.execute("PRAGMA foreign_keys = ON")
    broken = sqlite.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the migration left {len(broken)} rows that refer to nothing")


run()
