"""The door of the loading dock: rehearse a file, or import it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol

from sqlalchemy import func, select

from identity import database
from identity.errors import Contended, InvalidInput
from identity.importing import records, storing
from identity.importing.account import Account
from identity.importing.deciding import Decided
from identity.importing.files import CustomerFile
from identity.importing.imagining import Imagined
from identity.importing.reading import batches
from identity.importing.rows import Call, RowReader
from identity.models import Contact

NOTED = 2.0
"""Seconds between two notes of how far an import is, for whoever looks at it meanwhile."""
AHEAD = timedelta(days=1)
"""How far a clock may be ahead of ours. What comes from the future would stay the newest."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file, and how it is to be read."""

    file: CustomerFile
    region: str | None
    """For phone numbers of rows without a country."""
    ahead: bool = False
    """Whether another process may read ahead."""

    def reader(self) -> RowReader:
        """Return the reader of its rows."""
        return RowReader(self.file.columns, self.region, datetime.now(UTC) + AHEAD)

    def first(self, rows: int) -> Iterator[tuple[int, list[Call], str]]:
        """Yield the line of each of the first rows, and its calls or why it is rejected."""
        reader = self.reader()
        for line, cells in islice(self.file.rows(), rows):
            try:
                yield line, reader.calls(line, cells), ""
            except InvalidInput as problem:
                yield line, [], str(problem)


class Watcher(Protocol):
    """Whoever wants to know how it goes."""

    def read(self, rows: int) -> None:
        """Hear that so many more rows are done with."""

    def rejected(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Hear of a row that cannot be used."""


def rehearse(given: Given, watcher: Watcher) -> Account:
    """Return the account that importing a file now would end with. Writes nothing.

    Raise `Unavailable` when the
    database cannot be reached.
    """
    imagined = Imagined()
    account = _begin()
    for calls in _batches(given, watcher, account):
        _add(account, [imagined.settle(calls)])
    return account


def carry_out(given: Given, watcher: Watcher, import_id: int) -> Account:
    """Import a file as the import of that id, in batches of one transaction each.

    Other than `rehearse` it may end half-way, with `Unavailable`; what was written until then
    is consistent, and importing the file again does the rest.
    """
    account = _begin()
    noted = time.monotonic()
    records.note(import_id, started_at=datetime.now(UTC), counts=account.counts())
    for calls in _batches(given, watcher, account):
        _add(account, _in_parts(calls, records.source(import_id)))
        if time.monotonic() > noted + NOTED:
            noted = time.monotonic()
            records.note(import_id, counts=account.counts())
    records.note(import_id, counts=account.counts(), finished_at=datetime.now(UTC), content=None)
    return account


def _begin() -> Account:
    newest = database.read(lambda connection: connection.scalar(select(func.max(Contact.id))))
    return Account(newest or 0)


def _batches(given: Given, watcher: Watcher, account: Account) -> Iterator[list[Call]]:
    for batch in batches(given.reader(), given.file, ahead=given.ahead):
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
