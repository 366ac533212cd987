"""What is kept of an uploaded file until it is imported: how it is read, its plan, and its work.

Work is what takes longer than a request: finding out what a file would bring, and bringing it.
Whoever does it gives signs of life here. So everybody can look at how far it is, whichever process
they ask, nothing is done twice at the same time, and what a process left behind when it was killed
is known to be nobody's.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from identity import database
from identity.errors import Conflict
from identity.importing.register import RUNS_FOR
from identity.models import Import

UNDER_WAY = "This file is being imported just now."


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done with a file."""

    doing: str
    """EXAMINING, PLANNING or IMPORTING; REFUSED when the file is none that can be read."""
    by: str
    """A name that nobody else has."""
    seen_at: datetime
    step: str = ""
    """What of it is done now, in words."""
    rows: int = 0
    """How many are done with in this step."""
    failed: str | None = None
    """Why it ended before its end, in a sentence; None while nobody knows of that."""

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self) | {"seen_at": self.seen_at.isoformat()}

    @property
    def goes_on(self) -> bool:
        """Tell whether it was heard of a moment ago, and not of its end."""
        return self.failed is None and abs(datetime.now(UTC) - self.seen_at) < RUNS_FOR


EXAMINING, REFUSED = BEFORE = "examining", "refused"
PLANNING, IMPORTING = "planning", "importing"


class Kept(NamedTuple):
    """What is kept of a file beside its bytes."""

    reading: dict[str, Any] | None
    plan: dict[str, Any] | None
    work: Work | None

    @property
    def under_way(self) -> Work | None:
        """The work that goes on, if any does."""
        return self.work if self.work and self.work.goes_on else None


class Unfinished(NamedTuple):
    """A file whose import nobody has confirmed yet."""

    id: int
    file_name: str
    given_by: str
    given_at: datetime
    work: Work | None
    planned: bool
    """Whether it is known what it would bring."""


_columns = Import.reading, Import.plan, Import.work


def get(import_id: int) -> Kept:
    """Return what is kept of a file."""
    return database.read(lambda connection: _get(connection, import_id)) or Kept(None, None, None)


def read_so(import_id: int, choices: Mapping[str, Any], reading: Mapping[str, Any]) -> None:
    """Keep how a file is read, and forget the plan. Raise `Conflict` while it is imported."""
    _choose(import_id, {"choices": choices, "reading": reading})


def chosen(import_id: int, choices: Mapping[str, Any]) -> None:
    """Keep what was chosen on the plan, and forget that one. Raises the same."""
    _choose(import_id, {"choices": choices})


def _choose(import_id: int, values: dict[str, Any]) -> None:
    def choose(kept: Kept) -> dict[str, Any]:
        if kept.under_way and kept.under_way.doing == IMPORTING:
            raise Conflict(UNDER_WAY)
        # Whoever makes a plan finds that it is nobody's any more.
        return {"plan": None, "work": None} | values

    _change(import_id, choose)


def begin(import_id: int, doing: str) -> str | None:
    """Return a name to work by; None when somebody works on the file."""
    by = secrets.token_hex(8)

    def work(kept: Kept) -> dict[str, Any] | None:
        if kept.under_way:
            return None
        return {"work": Work(doing, by, datetime.now(UTC)).as_json()}

    return by if _change(import_id, work) else None


def end(import_id: int, by: str, **values: object) -> bool:
    """Keep what came of the work that one did by that name; tell whether it still was one's own."""

    def ended(kept: Kept) -> dict[str, Any] | None:
        return {"work": None} | values if kept.work and kept.work.by == by else None

    return _change(import_id, ended)


def throw_away(import_id: int) -> None:
    """Forget a file that nobody began to import; raise `Conflict` when somebody has."""

    def forget() -> bool:
        with database.transaction() as connection:
            kept = _get(connection, import_id, lock=True)
            if kept and kept.under_way and kept.under_way.doing == IMPORTING:
                raise Conflict(UNDER_WAY)
            unbegun = (Import.id == import_id) & Import.started_at.is_(None)
            done = connection.execute(delete(Import).where(unbegun))
            return done.rowcount > 0

    if not database.retrying(forget):
        raise Conflict("This file is imported, or its import was begun. It can be undone.")


def unfinished() -> list[Unfinished]:
    """Return the files whose import nobody has confirmed, the newest first."""
    chosen = (
        select(
            *(Import.id, Import.file_name, Import.given_by, Import.given_at),
            *(Import.work, Import.plan.is_not(None)),
        )
        .where(Import.started_at.is_(None), Import.content.is_not(None))
        .order_by(Import.id.desc())
    )
    rows = database.read(lambda connection: connection.execute(chosen).all())
    return [
        Unfinished(row[0], row[1], row[2], row[3], work_of(row[4]), bool(row[5])) for row in rows
    ]


def _change(import_id: int, change: Callable[[Kept], Mapping[str, Any] | None]) -> bool:
    """Change what is kept of a file, if it is and `change` says to what; tell whether it did."""

    def write() -> bool:
        with database.transaction() as connection:
            kept = _get(connection, import_id, lock=True)
            values = change(kept) if kept else None
            if values is None:
                return False
            connection.execute(update(Import).where(Import.id == import_id).values(values))
            return True

    return database.retrying(write)


def _get(connection: Connection, import_id: int, *, lock: bool = False) -> Kept | None:
    wanted = select(*_columns).where(Import.id == import_id, Import.content.is_not(None))
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return Kept(row[0], row[1], work_of(row[2])) if row else None


def work_of(kept: Mapping[str, Any] | None) -> Work | None:
    """Return work from how it is kept."""
    if kept is None:
        return None
    return Work(**{**kept, "seen_at": datetime.fromisoformat(kept["seen_at"])})
