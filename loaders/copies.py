"""A copy of all evidence whose claims an engine reads: all of it but the claims."""

import hashlib
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any

from identity import database
from identity.copying import lines, loading, reading, restoring
from identity.copying.lines import EndLine, Header
from identity.errors import InvalidInput


def check(path: Path) -> Header:
    """Return the first line of a copy that is as it was written; raise `InvalidInput`.

    Raise `Conflict` when the database has something already.
    """
    restoring.check_empty()
    copy = reading.begin(lambda: path.open("rb"))
    digest, count, last = hashlib.sha256(), 0, b""
    with path.open("rb") as file:
        for line in file:
            digest.update(last)
            count, last = count + 1, line
    try:
        end = lines.parsed(last)
    except ValueError:
        end = None
    if not isinstance(end, EndLine):
        raise InvalidInput(f"{path}: {reading.CUT_OFF}")
    if (end.lines, end.sha256) != (count, digest.hexdigest()):
        raise InvalidInput(f"{path}: The file is not as it was written: it was changed since.")
    return copy.header


def begin(path: Path, header: Header) -> None:
    """Take its imports and rulings into an empty database, and count on where it ended."""
    copy = reading.begin(lambda: path.open("rb"))

    def write() -> None:
        with database.transaction() as connection:
            before = takewhile(lambda line: line.line != "claim", copy.lines())
            for kind, of_kind in groupby(before, key=lambda line: line.line):
                rows: list[Any] = list(of_kind)
                loading.TAKING[kind](connection, rows)
            loading.count_on(connection, header.last)

    database.retrying(write)
