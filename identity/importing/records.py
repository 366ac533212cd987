"""What is kept about each import: the file's name, who gave it, when, and the counts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update

from identity import database
from identity.errors import NotFound
from identity.models import Import

SHOWN = 50
KEPT = timedelta(days=1)
"""How long an uploaded file waits for its plan to be confirmed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One import, as it is read."""

    id: int
    file_name: str
    given_by: str
    given_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[str, int]

    @property
    def source(self) -> str:
        """What the links and events of this import name as their source."""
        return source(self.id)


_columns = (
    *(Import.id, Import.file_name, Import.given_by, Import.given_at),
    *(Import.started_at, Import.finished_at, Import.counts),
)


def source(import_id: int) -> str:
    """Return the source of an import."""
    return f"import:{import_id}"


def give(file_name: str, given_by: str, content: bytes | None = None) -> int:
    """Take a file in, with its bytes when it was uploaded; return the id of its import."""
    now = datetime.now(UTC)
    forgotten = (Import.started_at.is_(None)) & (Import.given_at < now - KEPT)
    values = {
        # PostgreSQL takes no text with a NUL in it, and a page no name without an end.
        "file_name": "".join(filter(str.isprintable, file_name))[:200],
        "given_by": given_by,
        "given_at": now,
        "counts": {},
        "content": content,
    }

    def write() -> int:
        with database.transaction() as connection:
            # Customers' data that nobody came back for is not to lie about.
            connection.execute(update(Import).where(forgotten).values(content=None))
            done = connection.execute(insert(Import).values(values).returning(Import.id))
            return int(done.scalar_one())

    return database.retrying(write)


def note(import_id: int, **values: object) -> None:
    """Note how far an import is."""

    def write() -> None:
        with database.transaction() as connection:
            connection.execute(update(Import).where(Import.id == import_id).values(values))

    database.retrying(write)


def get(import_id: int) -> Record:
    """Return an import; raise `NotFound` when there is none of that id."""
    chosen = select(*_columns).where(Import.id == import_id)
    row = database.read(lambda connection: connection.execute(chosen).one_or_none())
    if row is None:
        raise NotFound(f"There is no import {import_id}.")
    return Record(*row)


def content(import_id: int) -> bytes | None:
    """Return the bytes of an uploaded file, None when they are no longer kept."""
    chosen = select(Import.content).where(Import.id == import_id)
    return database.read(lambda connection: connection.scalar(chosen))


def rejects(import_id: int) -> bytes | None:
    """Return the rejected rows of an uploaded file as CSV, None when there are none."""
    chosen = select(Import.rejects).where(Import.id == import_id)
    return database.read(lambda connection: connection.scalar(chosen))


def latest() -> list[Record]:
    """Return the newest imports that were begun, the newest first."""
    chosen = (
        select(*_columns)
        .where(Import.started_at.is_not(None))
        .order_by(Import.id.desc())
        .limit(SHOWN)
    )
    rows = database.read(lambda connection: connection.execute(chosen).all())
    return [Record(*row) for row in rows]
