"""The account of each file: how it was read, what could not be used, and what it brought."""

import io
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from identity.errors import InvalidInput
from identity.importing import register
from identity.importing.rejects import Rejects
from identity.importing.rows import Doubt
from identity.importing.run import LEFT_NOTHING
from identity.importing.tally import Tally
from loaders.following import Brought
from loaders.spark import told
from loaders.spark.told import DOUBT, ROWS, UNUSABLE, Given


@dataclass(frozen=True)
class Account:
    """A file as it was read."""

    given: Given
    rows: int
    source: str
    name: str
    header: Sequence[str]


def accounts(said: DataFrame, files: Sequence[Given]) -> list[Account]:
    """Return how each file was read; raise `InvalidInput` when one of them cannot be used."""
    about = said.where(F.col("kind").isin(ROWS, UNUSABLE)).orderBy("file").collect()
    if wrong := [f"{files[row.file].path}: {row.text}" for row in about if row.kind == UNUSABLE]:
        raise InvalidInput("\n".join(wrong))
    return [Account(files[row.file], row.line, *json.loads(row.text)) for row in about]


def finish(
    said: DataFrame,
    found: Sequence[Account],
    imports: Mapping[int, Brought],
    brought: Mapping[int, Counter[str]],
    empty: Mapping[int, Collection[int]],
) -> bool:
    """Note what each import brought, and keep the rows that could not be used beside its file.

    Tell whether there were any.
    """
    tallies = _tallies(said, found, empty)
    for file, account in enumerate(found):
        tally, figures = tallies[file], brought.get(file, Counter[str]())
        tally.rows, tally.news = account.rows, figures["news"]
        # What follows from the whole file was added up from its parts.
        counts = {name: figures.get(name, number) for name, number in tally.counts().items()}
        register.note(imports[file].id, counts=counts, finished_at=datetime.now(UTC))
        told_ = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
        click.echo(f"  {account.name}, import {imports[file].id}: {told_}")
        for reason in tally.doubts():
            where = f"{reason.column}: " if reason.column else ""
            click.echo(f"    {reason.count:,} times {where}{reason.reason}")
    return any(tally.reasons for tally in tallies)


def _tallies(
    said: DataFrame, found: Sequence[Account], empty: Mapping[int, Collection[int]]
) -> list[Tally]:
    tallies = [Tally(0) for _ in found]
    with ExitStack() as stack:
        rejects = [stack.enter_context(_rejects(account)) for account in found]

        def note(file: int, line: int, doubts: list[Doubt], cells: list[str], used: bool) -> None:
            tallies[file].doubt(line, doubts, used=used)
            rejects[file].add(line, " ".join(map(str, doubts)), cells)

        doubtful = said.where(F.col("kind") == DOUBT).orderBy("file", "line")
        for row in doubtful.select("file", "line", "text").toLocalIterator():
            doubts, cells, used = json.loads(row.text)
            note(row.file, row.line, [Doubt(*doubt) for doubt in doubts], cells, used)
        files = [account.given for account in found]
        for file, line, cells in told.again(said.sparkSession, files, empty):
            note(file, line, [Doubt("", LEFT_NOTHING)], cells, False)
    return tallies


def _rejects(account: Account) -> Rejects:
    path = Path(account.given.path)
    beside = path.with_name(f"{path.stem}.rejects.csv")
    return Rejects(account.header, partial(io.FileIO, beside, "wb"))
