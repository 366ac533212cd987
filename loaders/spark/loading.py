"""The loader from end to end: read, ruled, connected, followed, numbered, loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sqlalchemy import Connection, select

from identity import auditing, database, evidence
from identity.auditing import COMMAND_LINE, Deed
from identity.caution.choosing import DEFAULT
from identity.deciding import Ruled
from identity.errors import Conflict
from identity.identifiers import KINDS, Value
from identity.importing import register
from identity.importing.figures import Figures
from identity.models import KeptApart
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody
from loaders import copies, tables
from loaders.following import Brought
from loaders.spark import accounts, crowds, parts, told
from loaders.spark.accounts import Account
from loaders.spark.connected import connected
from loaders.spark.parts import Lasts, Setting
from loaders.spark.told import CALL, CLAIM, WITHDRAWN, Given

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Order:
    """What somebody asks for."""

    files: list[Given]
    copy: Path | None
    work: Path
    many: int
    """Strangers who are too many for one value."""
    as_it_is: bool


def carry_out(spark: SparkSession, order: Order) -> bool:
    """Load all into the application's database; tell whether something could not be used.

    Raise `InvalidInput` for what cannot be used and `Conflict` for a database that is not empty:
    then nothing was written.
    """
    tables.check_empty()
    header = copies.check(order.copy) if order.copy else None
    click.echo("Reading")
    said = parts.kept(told.read(spark, order.files, order.copy), order.work / "told")
    found = accounts.accounts(said, order.files)
    if header is not None:
        assert order.copy
        copies.begin(order.copy, header)
    imports = _imports(found)
    calls = said.where(F.col("kind") == CALL)
    if not order.as_it_is:
        _rule(calls, imports, order.many)
    followed = _load(spark, order, said, imports)
    brought, empty = parts.counts(followed)
    return accounts.finish(said, found, imports, brought, empty)


def _imports(found: Sequence[Account]) -> dict[int, Brought]:
    """Register an import for each file."""
    begun = datetime.now(UTC)
    imports: dict[int, Brought] = {}
    for file, account in enumerate(found):
        import_id = register.give(account.name, COMMAND_LINE)
        auditing.note(Deed.IMPORTED, COMMAND_LINE, import_id)
        # One after the other, as they are told.
        now = begun + file * INSTANT
        register.note(import_id, started_at=now, feed=account.source)
        imports[file] = Brought(import_id, account.source, now)
    return imports


def _rule(calls: DataFrame, imports: Mapping[int, Brought], many: int) -> None:
    """Let what strangers share link nobody, unless somebody ruled otherwise."""
    click.echo("Looking for what strangers share")
    files: dict[str, list[int]] = {}
    for file, brought in imports.items():
        files.setdefault(brought.source, []).append(file)
    for source, of_source in files.items():
        by = register.source(imports[of_source[0]].id)
        for suspect in crowds.examine(calls, of_source, source, many).suspects:
            if DEFAULT.links_nobody(suspect):
                try:
                    applying.rule(LinksNobody(suspect.value), Ordered(by, suspect.reason))
                except Conflict:
                    continue
                click.echo(f"  links nobody: {suspect}")


def _load(
    spark: SparkSession,
    order: Order,
    said: DataFrame,
    imports: Mapping[int, Brought],
) -> DataFrame:
    """Load what follows, and return it."""
    click.echo("Finding what is connected")
    setting = Setting(database.read(_ruled), imports, datetime.now(UTC))
    nobody = [told.number(value) for value in setting.ruled.nobody]
    telling = said.where(F.col("kind").isin(CALL, CLAIM))
    count = telling.count()
    together = connected(spark, telling, nobody, order.work)
    click.echo("Deciding")
    followed = parts.kept(parts.follow(spark, together, count, setting), order.work / "followed")
    placed, contacts, others = parts.numbered(spark, followed)
    lasts = database.read(lambda c: Lasts(tables.last(c, "contact"), tables.last(c, "event")))
    beside = said.where(F.col("kind").isin(CLAIM, WITHDRAWN)).select("text")
    rows = order.work / "rows"
    parts.write_rows(followed, placed, beside, contacts, lasts, setting, rows)
    click.echo("Loading")
    ends = {"contact": lasts.contact + contacts, "event": lasts.place + others}
    tables.load(rows / "ordered", ends)
    Figures().ended(count)
    return followed


def _ruled(connection: Connection) -> Ruled:
    ruled = Ruled(evidence.ruled_nobody(connection))
    apart = KeptApart.table().c
    columns = apart.kind, apart.value, apart.other_kind, apart.other_value, apart.ruling_id
    for kind, text, other_kind, other, ruling_id in connection.execute(select(*columns)):
        ruled.keep_apart(Value(KINDS[kind], text), Value(KINDS[other_kind], other), ruling_id)
    return ruled
