"""Files that mention somebody: those that wait to be imported, and the rows that were rejected.

A file that nobody has imported yet, and that mentions them, is thrown away whole. Of rejected rows
those go that do. To read a large file takes its time, so it is read before anything is locked, and
once.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from identity.erasing.mentions import Mentions
from identity.errors import Conflict, IdentityError
from identity.importing import register, uploads
from identity.importing.files import HEAD
from identity.importing.opening import archives, encodings, workbooks
from identity.importing.opening.room import LITTLE
from identity.importing.opening.steady import steady
from identity.importing.register import CALLED
from identity.importing.rejects import BYTE_ORDER_MARK
from identity.models import Import

_import = Import.table().c


class Waiting(NamedTuple):
    """A file that waits to be imported, and mentions them."""

    id: int
    file_name: str


class Mentioning(NamedTuple):
    """What mentions them."""

    waiting: list[Waiting]
    rejected: dict[int, tuple[bytes | None, int]]
    """What is left of each import's rejected rows that mention them, and how many go."""


@dataclass(slots=True)
class Files:
    """What is known of the files, kept from try to try."""

    mentions: Mentions
    known: dict[tuple[int, int], bool] = field(default_factory=dict)
    """Whether an uploaded file mentions them, by its id and size."""
    rows: dict[tuple[int, int], tuple[bytes | None, int]] = field(default_factory=dict)
    """What is left of rejected rows, and how many are not, likewise."""

    def mentioning(self, connection: Connection) -> Mentioning:
        """Return what mentions them. Raise `Conflict` where such a file is being imported."""
        return Mentioning(self._waiting(connection), self._rejected(connection))

    def _waiting(self, connection: Connection) -> list[Waiting]:
        found = []
        columns = _import.file_name, _import.work, func.length(_import.content)
        chosen = select(_import.id, *columns).where(_import.content.is_not(None))
        for id_, name, work, size in connection.execute(chosen.order_by(_import.id)).all():
            if (id_, size) not in self.known:
                content = connection.scalar(select(_import.content).where(_import.id == id_))
                self.known[id_, size] = self._is_about(content or b"")
            if self.known[id_, size] or self._tells(connection, id_):
                _check_idle(id_, work)
                found.append(Waiting(id_, name))
        return found

    def _rejected(self, connection: Connection) -> dict[int, tuple[bytes | None, int]]:
        found = {}
        chosen = select(_import.id, func.length(_import.rejects)).where(
            _import.rejects.is_not(None)
        )
        for key in connection.execute(chosen).all():
            id_, size = key
            if (id_, size) not in self.rows:
                rejects = connection.scalar(select(_import.rejects).where(_import.id == id_))
                self.rows[id_, size] = _without(rejects or b"", self.mentions)
            if self.rows[id_, size][1]:
                found[id_] = self.rows[id_, size]
        return found

    def leave_out(self, connection: Connection, found: Mentioning) -> None:
        """Forget files, and that they came if nobody began; keep what is left of rejected rows."""
        for each in found.waiting:
            one = _import.id == each.id
            connection.execute(delete(Import).where(one, _import.started_at.is_(None)))
            connection.execute(update(Import.table()).where(one).values(register.NOTHING))
        for id_, (left, _) in found.rejected.items():
            connection.execute(update(Import.table()).where(_import.id == id_).values(rejects=left))

    def rename(self, connection: Connection, waiting: list[Waiting], *, write: bool) -> int:
        """Take them out of what other files are called, and how they were read; return of how many.

        Those that wait and go are not counted.
        """
        thrown = {each.id for each in waiting}
        count = 0
        columns = _import.file_name, _import.choices, _import.reading, _import.plan
        for id_, name, *kept in connection.execute(select(_import.id, *columns)).all():
            changed: dict[str, Any] = {}
            if self.mentions.in_text(name):
                changed["file_name"] = CALLED
            for column, told in zip(("choices", "reading", "plan"), kept, strict=True):
                if self.mentions.any_in(texts(told)):
                    changed[column] = None
            if changed:
                count += id_ not in thrown
                if write:
                    connection.execute(
                        update(Import.table()).where(_import.id == id_).values(**changed)
                    )
        return count

    def _tells(self, connection: Connection, import_id: int) -> bool:
        """Tell whether what is shown of a file mentions them, however it was read."""
        shown = select(_import.reading, _import.plan).where(_import.id == import_id)
        return any(self.mentions.any_in(texts(each)) for each in connection.execute(shown).one())

    def _is_about(self, content: bytes) -> bool:
        try:
            return self.mentions.any_in(lines(content))
        except IdentityError:
            # Nobody can read it, nor import it.
            return True


def lines(content: bytes) -> Iterator[str]:
    """Yield all that is in a file, of every sheet of a workbook."""
    unpacked = archives.unpack(steady(partial(io.BytesIO, content)), LITTLE)
    sheets = workbooks.read(unpacked.opened, LITTLE)
    if sheets is None:
        with unpacked.opened() as opened:
            codec = encodings.find(unpacked.opened, opened.read(HEAD)).codec
        texts = [(unpacked.opened, codec)]
    else:
        texts = [(sheet.opened, "utf-8") for sheet in sheets]
    for opened_again, codec in texts:
        with io.TextIOWrapper(opened_again(), codec, errors="replace") as text:
            yield from text


def _check_idle(import_id: int, work: Any) -> None:
    kept = uploads.work_of(work)
    if kept and kept.goes_on and kept.doing == uploads.IMPORTING:
        raise Conflict(
            f"Import {import_id} mentions them and is running. Try again when it has ended."
        )


def _without(rejects: bytes, mentions: Mentions) -> tuple[bytes | None, int]:
    """Return rejected rows without those that mention them, and how many these are."""
    text = rejects.decode(errors="surrogateescape").removeprefix(BYTE_ORDER_MARK)
    separator = _separator(text)
    kept, gone = io.StringIO(), 0
    writer = csv.writer(kept, delimiter=separator)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    writer.writerow(next(rows, ()))
    some = False
    for row in rows:
        if mentions.any_in(row):
            gone += 1
        else:
            some = True
            writer.writerow(row)
    left = (BYTE_ORDER_MARK + kept.getvalue()).encode(errors="surrogateescape")
    return left if some else None, gone


def _separator(text: str) -> str:
    """Return what follows the name of the first column, which is always ours."""
    line = text.partition("\n")[0]
    return next((mark for mark in line if not (mark.isalnum() or mark in '_"')), ",")


def texts(told: Any) -> Iterator[str]:
    """Yield all that stands in what JSON told, names of fields too."""
    match told:
        case str():
            yield told
        case list():
            for each in told:
                yield from texts(each)
        case dict():
            for name, each in told.items():
                yield name
                yield from texts(each)
