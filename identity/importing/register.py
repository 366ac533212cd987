"""What is kept about each import: the file's name, who gave it, when, and the counts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from identity import database, forgetting
from identity.errors import Conflict, IdentityError, InvalidInput, NotFound
from identity.importing import signs
from identity.models import Import

SHOWN = 50
CALLED = "a file"
"""What a file is called in whose name something stands that was erased."""
RUNS_FOR = timedelta(seconds=15)
"""How long after it was last heard of an import may still be running."""
HEARD_OF = 3.0
"""Seconds between two signs of life of an import."""
KEPT = timedelta(days=1)
"""How long an uploaded file waits for its plan to be confirmed."""
NOTHING = {"content": None, "reading": None, "plan": None, "work": None}
"""What is left of a file that is no longer kept."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One import, as it is read."""

    id: int
    file_name: str
    given_by: str
    given_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seen_at: datetime | None
    feed: str | None
    counts: dict[str, int]
    choices: dict[str, Any] | None
    """What was chosen on its page; None for what is done by default."""

    @property
    def source(self) -> str:
        """What the lines of the ledger name as their source."""
        return source(self.id)

    @property
    def may_be_running(self) -> bool:
        """Tell whether it was heard of a moment ago, and not of its end."""
        if self.finished_at or self.seen_at is None:
            return False
        # Heard of tomorrow, it was by a clock that has been put right: it would run until then.
        return abs(datetime.now(UTC) - self.seen_at) < RUNS_FOR


COLUMNS = (
    *(Import.id, Import.file_name, Import.given_by, Import.given_at),
    *(Import.started_at, Import.finished_at, Import.seen_at, Import.feed, Import.counts),
    Import.choices,
)


def feed(name: str) -> str:
    """Return the source of the claims of files that are called so. Raise `InvalidInput`."""
    plain = "-".join(name.lower().split())
    if not 0 < len(plain) <= 100 or not plain.isprintable() or set(plain) & set("@:"):
        raise InvalidInput("A source has 1 to 100 printable characters, and no colon and no @.")
    return f"feed:{plain}"


def source(import_id: int) -> str:
    """Return the source of an import."""
    return f"import:{import_id}"


def is_source(name: str) -> bool:
    """Tell whether that is the source of an import, and nobody's name."""
    return name.startswith("import:")


def give(
    file_name: str,
    given_by: str,
    content: bytes | None = None,
    choices: dict[str, Any] | None = None,
) -> int:
    """Take a file in, with its bytes when it was uploaded; return the id of its import."""
    now = datetime.now(UTC)
    forgotten = (Import.started_at.is_(None)) & (Import.given_at < now - KEPT)
    values = {
        # PostgreSQL takes no text with a NUL in it, and a page no name without an end.
        "file_name": _left_of_name("".join(filter(str.isprintable, file_name))[:200]),
        "given_by": given_by,
        "given_at": now,
        "counts": {},
        "content": content,
    }
    if choices is not None:
        values["choices"] = choices

    def write() -> int:
        with database.transaction() as connection:
            # Customers' data that nobody came back for is not to lie about.
            connection.execute(update(Import).where(forgotten).values(NOTHING))
            done = connection.execute(insert(Import).values(values).returning(Import.id))
            return int(done.scalar_one())

    return database.retrying(write)


def _left_of_name(name: str) -> str:
    """Return a file's name, unless something stands in it that was erased."""
    told = set(forgetting.told_in([name]))
    if told and database.read(lambda connection: forgetting.remembered(connection, told)):
        return CALLED
    return name


def note(import_id: int, **values: object) -> None:
    """Note how far an import is."""

    def write() -> None:
        with database.transaction() as connection:
            connection.execute(update(Import).where(Import.id == import_id).values(values))

    database.retrying(write)


def get(import_id: int) -> Listed:
    """Return an import; raise `NotFound` when there is none of that id."""
    chosen = select(*COLUMNS).where(Import.id == import_id)
    row = database.read(lambda connection: connection.execute(chosen).one_or_none())
    if row is None:
        raise NotFound(f"There is no import {import_id}.")
    return Listed(*row)


def check_ended(connection: Connection, import_id: int) -> None:
    """Raise `NotFound` when there is no such import, and `Conflict` while it may be running."""
    chosen = select(*COLUMNS).where(Import.id == import_id)
    row = connection.execute(chosen).one_or_none()
    if row is None:
        raise NotFound(f"There is no import {import_id}.")
    if Listed(*row).may_be_running:
        raise Conflict(
            f"Import {import_id} is running, or was broken off a moment ago. Try again in "
            f"{RUNS_FOR.seconds} seconds."
        )


@contextmanager
def running(import_id: int) -> Iterator[None]:
    """Let everybody know that an import is running, until the block ends."""
    try:
        with signs.of_life(HEARD_OF, lambda: note(import_id, seen_at=datetime.now(UTC))):
            yield
    finally:
        with suppress(IdentityError):
            note(import_id, seen_at=None)


def content(import_id: int) -> bytes | None:
    """Return the bytes of an uploaded file, None when they are no longer kept."""
    chosen = select(Import.content).where(Import.id == import_id)
    return database.read(lambda connection: connection.scalar(chosen))


def rejects(import_id: int) -> bytes | None:
    """Return the rejected rows of an uploaded file as CSV, None when there are none."""
    chosen = select(Import.rejects).where(Import.id == import_id)
    return database.read(lambda connection: connection.scalar(chosen))


def latest() -> list[Listed]:
    """Return the newest imports that were begun, the newest first."""
    chosen = (
        select(*COLUMNS)
        .where(Import.started_at.is_not(None))
        .order_by(Import.id.desc())
        .limit(SHOWN)
    )
    rows = database.read(lambda connection: connection.execute(chosen).all())
    return [Listed(*row) for row in rows]
