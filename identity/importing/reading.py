"""Reading ahead: while one batch is decided and written, the next one is read and normalised.

That is a third of the work of an import, and Python does it in one process at a time, so a
large file is read by a process of its own.
"""

import multiprocessing
from collections.abc import Iterator
from itertools import islice
from multiprocessing.connection import Connection
from typing import NamedTuple

from identity.deciding import Call
from identity.importing.files import CustomerFile
from identity.importing.rows import Doubt, RowReader

BATCH = 20_000
"""Rows in one transaction. While it lasts, whoever tells us of the same customers has to wait."""
LARGE = 50_000
"""Rows of a file for which it pays to start another process: that takes a second."""


class Doubtful(NamedTuple):
    """A row of which something cannot be used."""

    line: int
    doubts: list[Doubt]
    cells: list[str]
    used: bool
    """Whether the rest of it can be."""


class Batch(NamedTuple):
    """Some rows, read."""

    rows: int
    calls: list[Call]
    doubtful: list[Doubtful]


def batches(reader: RowReader, file: CustomerFile, *, ahead: bool) -> Iterator[Batch]:
    """Yield the rows of `file` in batches; `ahead` allows another process for a large one."""
    if ahead and file.count >= LARGE:
        return _batches_ahead(reader, file)
    return _batches(reader, file)


def _batches(reader: RowReader, file: CustomerFile) -> Iterator[Batch]:
    rows = file.rows()
    while chunk := list(islice(rows, BATCH)):
        batch = Batch(len(chunk), [], [])
        for line, cells in chunk:
            calls, doubts = reader.read(line, cells)
            batch.calls.extend(calls)
            if doubts:
                batch.doubtful.append(Doubtful(line, doubts, cells, bool(calls)))
        yield batch


def _batches_ahead(reader: RowReader, file: CustomerFile) -> Iterator[Batch]:
    # A forked process would share the connections to the database with this one.
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_send, args=(theirs, reader, file), daemon=True)
    process.start()
    # Else the end would not be heard when the process is killed.
    theirs.close()
    try:
        while batch := ours.recv():
            yield Batch(*batch)
    finally:
        ours.close()
        process.terminate()
        process.join()


def _send(connection: Connection, reader: RowReader, file: CustomerFile) -> None:
    for batch in _batches(reader, file):
        # Waits while the one before is not fetched: memory must not grow with the file.
        connection.send(tuple(batch))
    connection.send(None)
