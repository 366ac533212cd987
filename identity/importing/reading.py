"""The rows of a file, read and normalised once, whoever wants them and how often.

A file is examined before anything of it is written, rehearsed perhaps, with and without what was
found, and imported. To read a row takes longer than anything else that happens to it before it is
written, so what was read is kept beside, in a file that nobody else can open and that is gone with
the process.
"""

import marshal
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import compress, islice
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from identity.deciding import Call
from identity.deciding.outline import UNDATED, Outline, number_of
from identity.importing.files import CustomerFile
from identity.importing.rows import Doubt, RowReader

if TYPE_CHECKING:
    from identity.deciding.newcomers import Newcomers

BATCH = 20_000
"""Rows that are read at a time: memory must not grow with the file."""
SIZE = 8
"""Bytes that say how long a batch is."""


class Doubtful(NamedTuple):
    """A row of which something cannot be used."""

    line: int
    doubts: list[Doubt]
    cells: list[str]
    used: bool
    """Whether the rest of it can be."""


Columns = tuple[Any, ...]


class Batch:
    """Some rows, read. All calls of a row are in one batch, one after another."""

    def __init__(self, rows: int, size: int, doubtful: Sequence[Doubtful], kept: bytes) -> None:
        """`kept` are its calls, `size` of them, column by column."""
        self.rows = rows
        self.size = size
        self.doubtful = doubtful
        self._kept = kept

    @cached_property
    def columns(self) -> Columns:
        """What the calls say, column by column; moments are texts."""
        columns: Columns = marshal.loads(self._kept)  # noqa: S302, we wrote it
        return columns

    @property
    def calls(self) -> list[Call]:
        """All calls."""
        return _calls(self.columns)

    def some(self, chosen: bytes) -> list[Call]:
        """Return the calls for which there is a 1."""
        return _calls([list(compress(each, chosen)) for each in self.columns])


class Reading:
    """The rows of a file, which are read once."""

    def __init__(self, reader: RowReader, file: CustomerFile) -> None:
        self._reader = reader
        self._file = file
        self._kept: IO[bytes] | None = None

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in batches, from the file the first time."""
        if self._kept:
            yield from _kept(self._kept)
            return
        # It has no name, so nobody else can open it, and it is gone when it is closed.
        beside: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, beside.close)
        for about, columns in self._read():
            parts = marshal.dumps(about), marshal.dumps(columns)
            for part in parts:
                beside.write(len(part).to_bytes(SIZE))
                beside.write(part)
            batch = _batch(*parts)
            # To load what is there would take as long as to keep it.
            batch.columns = columns
            yield batch
        # Only now is it whole.
        self._kept = beside

    @cached_property
    def newcomers(self) -> "Newcomers":
        """Which of their calls say the same."""
        # Loads a library for columns of numbers: memory that only files are worth.
        from identity.deciding.newcomers import Newcomers

        outline = Outline()
        for batch in self.batches():
            emails, numbers, dates, lines, _, names = batch.columns
            outline.add(emails, numbers, map(_number, dates), lines, names)
        return Newcomers(outline)

    def chosen(self, flags: bytes) -> Iterator[tuple[Batch, list[Call]]]:
        """Yield each batch with those of its calls for which there is a 1."""
        for batch, here in self.marked(flags):
            yield batch, batch.some(here) if 1 in here else []

    def marked(self, flags: bytes) -> Iterator[tuple[Batch, bytes]]:
        """Yield each batch with what there is for each of its calls."""
        place = 0
        for batch in self.batches():
            yield batch, flags[place : place + batch.size]
            place += batch.size

    def _read(self) -> Iterator[tuple[tuple[Any, ...], Columns]]:
        rows = self._file.rows()
        read = self._reader.read
        while chunk := list(islice(rows, BATCH)):
            calls: list[Call] = []
            doubtful = []
            for line, cells in chunk:
                found, doubts = read(line, cells)
                calls += found
                if doubts:
                    doubtful.append((line, list(map(tuple, doubts)), cells, bool(found)))
            yield (len(chunk), len(calls), doubtful), _columns(calls)


def _columns(calls: Sequence[Call]) -> Columns:
    # Column by column, and as plain values: a tenth of the time that pickled calls take.
    emails, numbers, dates, *more = zip(*calls, strict=True) if calls else ((),) * 6
    moments = [dated and dated.isoformat() for dated in dates]
    return emails, numbers, moments, *more


def _kept(beside: IO[bytes]) -> Iterator[Batch]:
    place = 0
    while True:
        parts = []
        for _ in range(2):
            # Somebody else may read it meanwhile.
            beside.seek(place)
            size = int.from_bytes(beside.read(SIZE))
            if not size:
                return
            parts.append(beside.read(size))
            place += SIZE + size
        yield _batch(*parts)


def _batch(about: bytes, columns: bytes) -> Batch:
    rows, size, doubtful = marshal.loads(about)  # noqa: S302, we wrote it
    return Batch(rows, size, [_doubtful(*each) for each in doubtful], columns)


def _calls(columns: Sequence[Sequence[Any]]) -> list[Call]:
    emails, numbers, moments, *more = columns
    dates = map(_moment, moments)
    return list(map(Call._make, zip(emails, numbers, dates, *more, strict=True)))


@lru_cache(BATCH)
def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@lru_cache(BATCH)
def _number(text: str | None) -> int:
    return number_of(datetime.fromisoformat(text)) if text else UNDATED


def _doubtful(line: int, doubts: Any, cells: list[str], used: bool) -> Doubtful:
    return Doubtful(line, [Doubt(*each) for each in doubts], cells, used)
