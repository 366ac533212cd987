"""The door of the loading dock: rehearse a file, or import it."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import func, insert, select, update

from identity import database
from identity.errors import Contended
from identity.importing import storing
from identity.importing.account import Account
from identity.importing.deciding import Decided
from identity.importing.files import CustomerFile
from identity.importing.imagining import Imagined
from identity.importing.reading import batches
from identity.importing.rows import Call, RowReader
from identity.models import Contact, Import

NOTED = 2.0
"""Seconds between two notes of how far an import is, for whoever looks at it meanwhile."""
AHEAD = timedelta(days=1)
"""How far a clock may be ahead of ours. What comes from the future would stay the newest."""


class Watcher(Protocol):
    """Whoever wants to know how it goes."""

    def read(self, rows: int) -> None:
        """Hear that so many more rows are done with."""

    def rejected(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Hear of a row that cannot be used."""


def rehearse(file: CustomerFile, region: str | None, watcher: Watcher) -> Account:
    """Return the account that importing `file` now would end with. Writes nothing.

    `region` is for phone numbers of rows without a country. Raise `Unavailable` when the
    database cannot be reached.
    """
    imagined = Imagined()
    account = _begin()
    for calls in _batches(file, region, watcher, account):
        _add(account, [imagined.settle(calls)])
    return account


def carry_out(file: CustomerFile, region: str | None, watcher: Watcher, import_id: int) -> Account:
    """Import `file` as the import of that id, in batches of one transaction each.

    Other than `rehearse` it may end half-way, with `Unavailable`; what was written until then
    is consistent, and importing the file again does the rest.
    """
    account = _begin()
    noted = time.monotonic()
    _update(import_id, started_at=datetime.now(UTC), counts=account.counts())
    for calls in _batches(file, region, watcher, account):
        _add(account, _in_parts(calls, source(import_id)))
        if time.monotonic() > noted + NOTED:
            noted = time.monotonic()
            _update(import_id, counts=account.counts())
    _update(import_id, counts=account.counts(), finished_at=datetime.now(UTC), content=None)
    return account


def give(file_name: str, given_by: str, content: bytes | None = None) -> int:
    """Take a file in without importing it yet; return the id of its import."""
    values = {
        "file_name": file_name,
        "given_by": given_by,
        "given_at": datetime.now(UTC),
        "counts": {},
        "content": content,
    }

    def write() -> int:
        with database.transaction() as connection:
            done = connection.execute(insert(Import).values(values).returning(Import.id))
            return int(done.scalar_one())

    return database.retrying(write)


def source(import_id: int) -> str:
    """Return what the links and events of an import name as their source."""
    return f"import:{import_id}"


def _begin() -> Account:
    newest = database.read(lambda connection: connection.scalar(select(func.max(Contact.id))))
    return Account(newest or 0)


def _batches(
    file: CustomerFile, region: str | None, watcher: Watcher, account: Account
) -> Iterator[list[Call]]:
    reader = RowReader(file.columns, region, datetime.now(UTC) + AHEAD)
    for batch in batches(reader, file):
        for line, reason, cells in batch.rejected:
            account.reject(line, reason)
            watcher.rejected(line, reason, cells)
        yield batch.calls
        account.rows += batch.rows
        watcher.read(batch.rows)


def _add(account: Account, parts: Sequence[Decided]) -> None:
    for decided in parts:
        account.add(decided)
    # A row with two phone numbers is two calls, and may have ended up in two parts.
    account.news += len(set().union(*(decided.lines for decided in parts)))


def _in_parts(calls: Sequence[Call], source: str) -> list[Decided]:
    """Settle a batch, in halves and halves of those where others are busy with its customers."""
    try:
        return [storing.settle(calls, source)]
    except Contended:
        if len(calls) == 1:
            raise
    middle = len(calls) // 2
    return [*_in_parts(calls[:middle], source), *_in_parts(calls[middle:], source)]


def _update(import_id: int, **values: object) -> None:
    def write() -> None:
        with database.transaction() as connection:
            connection.execute(update(Import).where(Import.id == import_id).values(values))

    database.retrying(write)
