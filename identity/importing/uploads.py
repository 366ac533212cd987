"""What is kept of an uploaded file until it is imported: how it is read, its plan, and its work.

Work is what takes longer than a request: finding out what a file would bring, and bringing it.
Whoever does it gives signs of life here. So everybody can look at how far it is, whichever process
they ask, nothing is done twice at the same time, and what a process left behind when it was killed
is known to be nobody's.
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from identity import database
from identity.errors import Conflict, IdentityError
from identity.importing.register import RUNS_FOR
from identity.models import Import

TOLD = 1.0
"""Seconds between two signs of life."""
UNDER_WAY = "This file is being imported just now."
NOTHING = {"content": None, "reading": None, "plan": None, "work": None}
"""What is left of a file that is no longer kept."""


class Stopped(IdentityError):
    """Somebody made other choices, threw the file away, or stopped the service."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done with a file."""

    doing: str
    """PLANNING or IMPORTING."""
    by: str
    """A name that nobody else has."""
    seen_at: datetime
    rows: int = 0
    """How many are done with."""
    failed: str | None = None
    """Why it ended before its end, in a sentence; None while nobody knows of that."""

    @property
    def goes_on(self) -> bool:
        """Tell whether it was heard of a moment ago, and not of its end."""
        return self.failed is None and abs(datetime.now(UTC) - self.seen_at) < RUNS_FOR


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
        return {"work": _as_json(Work(doing, by, datetime.now(UTC)))}

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
    return [Unfinished(row[0], row[1], row[2], row[3], _work(row[4]), bool(row[5])) for row in rows]


class Worker:
    """Whoever works on a file by a name, and tells how far it is."""

    def __init__(self, import_id: int, by: str, doing: str, stopping: threading.Event) -> None:
        """Stop where `stopping` is set."""
        self._import_id, self._by, self._doing = import_id, by, doing
        self._stopping, self._lost = stopping, threading.Event()
        self.rows = 0

    def read(self, rows: int) -> None:
        """Hear that so many more rows are done with; raise `Stopped` when this is to end."""
        self.rows += rows
        self.check()

    def anew(self, doing: str) -> None:
        """Go on with something else, from its first row."""
        self._doing, self.rows = doing, 0
        self._tell()
        self.check()

    def check(self) -> None:
        """Raise `Stopped` when this is to end."""
        if self._stopping.is_set():
            raise Stopped("The service was stopped meanwhile.")
        if self._lost.is_set():
            raise Stopped("Somebody chose otherwise meanwhile.")

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Let everybody know how far it is, until the block ends."""
        ended = threading.Event()

        def tell() -> None:
            while not ended.wait(TOLD):
                # Whoever cannot be told now is told the next time.
                with suppress(IdentityError):
                    self._tell()

        thread = threading.Thread(target=database.elsewhere(tell), name="telling", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def end(self, **values: object) -> None:
        """Keep what came of it, unless it is somebody else's by now."""
        end(self._import_id, self._by, **values)

    def fail(self, sentence: str) -> None:
        """Keep that nothing came of it, and why."""
        work = Work(self._doing, self._by, datetime.now(UTC), self.rows, sentence)
        self.end(work=_as_json(work))

    def _tell(self) -> None:
        work = Work(self._doing, self._by, datetime.now(UTC), self.rows)
        if not end(self._import_id, self._by, work=_as_json(work)):
            self._lost.set()


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
    return Kept(row[0], row[1], _work(row[2])) if row else None


def _as_json(work: Work) -> dict[str, Any]:
    told = {"doing": work.doing, "by": work.by, "seen_at": work.seen_at.isoformat()}
    return told | {"rows": work.rows, "failed": work.failed}


def _work(kept: Mapping[str, Any] | None) -> Work | None:
    if kept is None:
        return None
    return Work(**{**kept, "seen_at": datetime.fromisoformat(kept["seen_at"])})
