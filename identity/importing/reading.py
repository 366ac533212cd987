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
from functools import lru_cache
from itertools import islice
from typing import IO, Any, NamedTuple

from identity.deciding import Call
from identity.importing.files import CustomerFile
from identity.importing.rows import Doubt, RowReader

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


class Batch(NamedTuple):
    """Some rows, read. All calls of a row are in one batch, one after another."""

    rows: int
    calls: Sequence[Call]
    doubtful: Sequence[Doubtful]


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
        for batch in self._read():
            _keep(batch, beside)
            yield batch
        # Only now is it whole.
        self._kept = beside

    def _read(self) -> Iterator[Batch]:
        rows = self._file.rows()
        while chunk := list(islice(rows, BATCH)):
            calls: list[Call] = []
            doubtful: list[Doubtful] = []
            for line, cells in chunk:
                found, doubts = self._reader.read(line, cells)
                calls += found
                if doubts:
                    doubtful.append(Doubtful(line, doubts, cells, bool(found)))
            yield Batch(len(chunk), calls, doubtful)


def _keep(batch: Batch, beside: IO[bytes]) -> None:
    # Column by column, and as plain values: a tenth of the time that pickled calls take.
    emails, numbers, dates, *more = zip(*batch.calls, strict=True) if batch.calls else ((),) * 6
    moments = [dated and dated.isoformat() for dated in dates]
    doubtful = [
        (line, list(map(tuple, doubts)), cells, used)
        for line, doubts, cells, used in batch.doubtful
    ]
    kept = marshal.dumps((batch.rows, (emails, numbers, moments, *more), doubtful))
    beside.write(len(kept).to_bytes(SIZE))
    beside.write(kept)


def _kept(beside: IO[bytes]) -> Iterator[Batch]:
    place = 0
    while True:
        # Somebody else may read it meanwhile.
        beside.seek(place)
        size = int.from_bytes(beside.read(SIZE))
        if not size:
            return
        place += SIZE + size
        rows, columns, doubtful = marshal.loads(beside.read(size))  # noqa: S302, we wrote it
        yield Batch(rows, _calls(*columns), [_doubtful(*each) for each in doubtful])


def _calls(emails: Any, numbers: Any, moments: Any, *more: Any) -> list[Call]:
    dates = map(_moment, moments)
    return list(map(Call._make, zip(emails, numbers, dates, *more, strict=True)))


@lru_cache(BATCH)
def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _doubtful(line: int, doubts: Any, cells: list[str], used: bool) -> Doubtful:
    return Doubtful(line, [Doubt(*each) for each in doubts], cells, used)
