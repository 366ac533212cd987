"""What takes longer with an uploaded file than a request may: its plan, and its import.

Begun by a form, done by an errand. What becomes of it is kept with the file, where the pages look.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from identity import auditing
from identity.auditing import Deed
from identity.caution import running, showing
from identity.caution.choosing import Choices
from identity.errors import IdentityError, InvalidInput, NotFound
from identity.importing import register, uploads
from identity.importing.files import CustomerFile
from identity.importing.reading import Batch, Reading
from identity.importing.rejects import Rejects
from identity.importing.rows import Doubt, RowReader
from identity.importing.run import Source
from identity.importing.uploads import EXAMINING, IMPORTING, PLANNING
from identity.importing.working import Worker
from identity.reviewing import growth
from identity.web import current, errands
from identity.web.errands import Errand, Errands
from identity.web.pages import import_readings

OPENING, READING = "Looking at the file", "Reading"
COMPARING, BRINGING = "Comparing with what is known", "Importing"
"""The steps, as the bar names them."""
Do = Callable[[int, Worker], None]
FAILED = "Something went wrong on our side, and it is reported."


def plan(import_id: int) -> None:
    """Begin to find out what a file would bring, unless somebody is at it."""
    if uploads.get(import_id).reading is None:
        _begin(import_id, EXAMINING, _examine)
    else:
        _begin(import_id, PLANNING, _plan)


def carry_out(import_id: int, who: str | None, seen: str) -> None:
    """Begin to import a file, if what is done is what the plan with that fingerprint says."""
    _begin(import_id, IMPORTING, partial(_carry_out, who=who, seen=seen))


def _begin(import_id: int, doing: str, do: Do) -> None:
    by = uploads.begin(import_id, doing)
    if by is not None:
        errands.of().run(_errand(import_id, by, doing, do))


def _errand(import_id: int, by: str, doing: str, do: Do) -> Errand:
    def run(others: Errands) -> None:
        worker = Worker(import_id, by, doing, others.stopping)
        try:
            with worker.telling(), others.room(worker.check):
                do(import_id, worker)
        except IdentityError as problem:
            # Whoever cannot be told will see that it is not heard of any more.
            with suppress(IdentityError):
                worker.fail(str(problem))
        except Exception:
            with suppress(IdentityError):
                worker.fail(FAILED)
            raise

    return run


def _examine(import_id: int, worker: Worker) -> None:
    """Find out how a file is to be read, and what it would bring if nobody has to be asked."""
    listed, content = register.get(import_id), _content(import_id)
    worker.read(OPENING, 0)
    try:
        choices, reading = import_readings.taken(listed.file_name, content, listed.choices or {})
    except InvalidInput as problem:
        worker.refuse(str(problem))
        return
    if import_readings.asks(reading):
        worker.end(choices=choices, reading=reading)
        return
    worker.keep(choices=choices, reading=reading)
    worker.anew(PLANNING)
    _plan(import_id, worker)


def _plan(import_id: int, worker: Worker) -> None:
    worker.end(plan=_made(import_id, worker))


def _made(import_id: int, worker: Worker) -> dict[str, Any]:
    as_of, standing = datetime.now(UTC), showing.standing()
    listed, source = _given(import_id, worker)
    choices, many = Choices.from_json(listed.choices), current.config().many_strangers
    shown = showing.shown(running.rehearse(source, _Watcher(worker, COMPARING), choices, many))
    return {
        "shown": shown,
        "fingerprint": showing.fingerprint(shown),
        "as_of": as_of.isoformat(),
        "standing": standing,
    }


def _carry_out(import_id: int, worker: Worker, who: str | None, seen: str) -> None:
    kept = uploads.get(import_id).plan
    # Between the click and this, somebody else may have chosen and planned something else.
    if not kept or kept["fingerprint"] != seen or kept["standing"] != showing.standing():
        worker.anew(PLANNING)
        made = _made(import_id, worker)
        if made["fingerprint"] != seen:
            worker.end(plan=made | {"overtaken": True})
            return
        worker.anew(IMPORTING)
    listed, source = _given(import_id, worker)
    auditing.note(Deed.IMPORTED, who, import_id)
    choices, many = Choices.from_json(listed.choices), current.config().many_strangers
    rejected = io.BytesIO()
    with Rejects(source.file.header, lambda: rejected, source.file.separator) as rejects:
        watcher = _Watcher(worker, BRINGING, rejects)

        def ending() -> dict[str, object]:
            rejects.flush()
            # With the end or not at all: the file that they are of is not kept any longer.
            return {"rejects": rejected.getvalue() or None}

        running.carry_out(source, watcher, import_id, choices, many, ending)
    growth.keep(import_id)


def _given(import_id: int, worker: Worker) -> tuple[register.Listed, Source]:
    listed = register.get(import_id)
    source = import_readings.source(listed, _content(import_id))
    return listed, _Followed(source.file, source.region, source.feed, worker)


def _content(import_id: int) -> bytes:
    content = register.content(import_id)
    if content is None:
        raise NotFound("The file is no longer kept.")
    return content


@dataclass(frozen=True)
class _Followed(Source):
    """A file that tells how far it is read."""

    worker: Worker | None = None

    @cached_property
    def reading(self) -> Reading:
        """Its rows."""
        return _Reading(self.forgetful, self.file, self.worker)


class _Reading(Reading):
    def __init__(self, reader: RowReader, file: CustomerFile, worker: Worker | None) -> None:
        super().__init__(reader, file)
        self._worker = worker

    def batches(self) -> Iterator[Batch]:
        worker, self._worker = self._worker, None
        for batch in super().batches():
            if worker:
                # The first time: whoever goes through them again is quick, or tells it himself.
                worker.read(READING, batch.rows)
            yield batch


class _Watcher:
    """Tells how far it is, and keeps the rows of which something cannot be used."""

    def __init__(self, worker: Worker, step: str, rejects: Rejects | None = None) -> None:
        self._worker, self._step, self._rejects = worker, step, rejects

    def read(self, rows: int) -> None:
        """Hear that so many more rows are done with."""
        self._worker.read(self._step, rows)

    def doubted(
        self, line: int, doubts: Sequence[Doubt], cells: Sequence[str], *, used: bool
    ) -> None:
        """Keep a row."""
        if self._rejects is not None:
            self._rejects.add(line, " ".join(map(str, doubts)), cells)
