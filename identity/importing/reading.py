"""Reading ahead: while one batch is decided and written, the next ones are normalised.

Normalising phone numbers is most of the work of an import, and Python does it in one process at
a time, so a large file is given to other processes.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import Any

from identity.importing.files import CustomerFile, Row
from identity.importing.rows import RowReader

BATCH = 10_000
"""Rows in one transaction. While it lasts, whoever tells us of the same customers has to wait."""
LARGE = 5 * BATCH
"""Rows of a file for which it pays to start other processes: that takes a second."""
READERS = max(1, min(4, (os.cpu_count() or 1) - 1))

Read = tuple[list[Any], list[tuple[int, str]]]


def read_ahead(reader: RowReader, file: CustomerFile) -> Iterator[tuple[list[Row], Read]]:
    """Yield the rows of `file` in batches, each with its calls and rejected rows."""
    rows = file.rows()
    batches = iter(lambda: list(islice(rows, BATCH)), [])
    if file.count < LARGE:
        yield from ((batch, reader.read(batch)) for batch in batches)
        return
    # A forked process would share the connections to the database with this one.
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(READERS, spawning) as pool:
        ahead: deque[tuple[list[Row], Future[Read]]] = deque()
        for batch in batches:
            ahead.append((batch, pool.submit(reader.read, batch)))
            # No further ahead than this: memory must not grow with the file.
            if len(ahead) > READERS + 1:
                done, read = ahead.popleft()
                yield done, read.result()
        for done, read in ahead:
            yield done, read.result()
