"""Sessions of people: each is known to the database, and ends there.

What a browser keeps is a random id; a copy of it is good for as long as the session is, and no
longer. Nothing of this is remembered from one request to the next: a sign-out, another password or
another role takes effect at once, on every worker and machine.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from identity import auditing, database
from identity.access.keys import hashed
from identity.auditing import COMMAND_LINE, Deed
from identity.models import Session as Row
from identity.models import User
from identity.roles import Role

LASTS = timedelta(hours=12)
"""How long a session lasts, used or not."""
APART = timedelta(minutes=1)
"""How far the clocks of two machines may be apart."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has not ended."""

    name: str
    password_hash: str | None
    """What their password is kept as now; None for whoever has none in the database."""
    role: Role | None


def begin_session(name: str, came_from: str | None = None) -> str:
    """Begin a session of somebody whose password was right; return what their browser keeps."""
    now = datetime.now(UTC)

    def write() -> str:
        # Anew for each try: after a connection that was lost during the commit, there may be one.
        token = secrets.token_urlsafe(32)
        values = {"hash": hashed(token), "name": name, "began_at": now, "ends_at": now + LASTS}
        with database.transaction() as connection:
            connection.execute(delete(Row).where(Row.ends_at < now))
            connection.execute(insert(Row).values(values))
            auditing.record(connection, Deed.SIGNED_IN, name, came_from=came_from)
        return token

    return database.retrying(write)


def session_of(token: str) -> Session | None:
    """Return the session of what a browser keeps; None when there is none, or it has ended."""
    now = datetime.now(UTC)
    # It also must have begun: a clock that was set back would give it another day.
    lives = (Row.ends_at > now) & (Row.began_at < now + APART)
    chosen = _SESSIONS.where(Row.hash == hashed(token), lives)
    row = database.read(lambda connection: connection.execute(chosen).one_or_none())
    return row and Session(row.name, row.password_hash, Role(row.role) if row.role else None)


def end_session(token: str) -> None:
    """End a session, for every copy of what its browser keeps."""
    ending = delete(Row).where(Row.hash == hashed(token)).returning(Row.name)

    def write() -> None:
        with database.transaction() as connection:
            name = connection.scalar(ending)
            if name is not None:
                auditing.record(connection, Deed.SIGNED_OUT, name)

    database.retrying(write)


def sessions_of(name: str) -> list[tuple[datetime, datetime]]:
    """Return when each session of somebody began and when it ends, the newest first."""
    chosen = select(Row.began_at, Row.ends_at).where(
        Row.name == name, Row.ends_at > datetime.now(UTC)
    )
    newest = chosen.order_by(Row.began_at.desc())
    rows = database.read(lambda connection: connection.execute(newest).all())
    return [(began, ends) for began, ends in rows]


def end_sessions_of(name: str, by: str = COMMAND_LINE) -> None:
    """End all sessions of somebody, wherever they are."""

    def write() -> None:
        with database.transaction() as connection:
            end_all(connection, name)
            auditing.record(connection, Deed.SIGNED_OUT_EVERYWHERE, by, name)

    database.retrying(write)


def end_all(connection: Connection, name: str) -> None:
    """End all sessions of somebody."""
    connection.execute(delete(Row).where(Row.name == name))


_SESSIONS = select(Row.name, User.password_hash, User.role).outerjoin(User, User.name == Row.name)
