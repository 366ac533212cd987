"""What loaders make of parts is what an import makes of the whole. Here without any engine."""

import random
from datetime import UTC, datetime
from typing import Any

import networkx
import pytest
from flask import Flask
from sqlalchemy import select

from identity import database, evidence
from identity.database import db
from identity.deciding import Call, Ruled
from identity.identifiers import Kind, Value
from identity.importing import register
from identity.models import Claim, Contact, Event, Identifier, Reference
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody
from loaders.following import Brought, Followed, Place, Pool, followed
from loaders.numbering import Counted
from loaders.tables import COLUMNS, Rows
from tests.bringing import as_file, bring, on
from tests.examples import Row

NOBODY = Value(Kind.PHONE, "5550000")
EMAILS = [f"{name}@hillvalley.edu" for name in "abcdefgh"]
PHONES = [f"555{number:04}" for number in range(8)]
MODELS = Contact, Identifier, Claim, Reference, Event
OF_TELLING = {"told_at", "updated_at", "occurred_at", "detail"}
"""Moments at which nothing is told twice, and JSON, which databases spell in their own ways."""


def some_rows(chance: random.Random) -> list[Row]:
    def row() -> Row:
        email, phone = chance.choice(EMAILS), chance.choice(PHONES)
        other = chance.choice([None, None, *PHONES])
        dated = chance.choice(["", f"201{chance.randrange(10)}-01-01T00:00:00+00:00"])
        return chance.choice([(email, phone, other, dated), (email, None, None, dated)])

    return [row() for _ in range(30)]


def parts_of(told: list[tuple[int, Place, Call]], ruled: Ruled) -> list[Pool]:
    """Put what is connected into a pool each, as an engine does."""
    graph = networkx.Graph()
    for _, _, call in told:
        values = [value for value in call.values() if value not in ruled.nobody]
        networkx.add_path(graph, values or call.values())
    pools = []
    for part in networkx.connected_components(graph):
        pool = Pool()
        for file, place, call in told:
            if not part.isdisjoint(call.values()):
                pool.calls.setdefault(file, []).append((place, call))
        pools.append(pool)
    return pools


def rows_of(parts: list[Followed], imports: dict[int, Brought], last: int) -> dict[str, list[Any]]:
    """Number everything, and return the rows of the tables."""
    keys = sorted(key for part in parts for key in part.all_keys())
    before = {Counted.CONTACTS: 0, Counted.PLACES: last}
    numbers = {}
    for key in keys:
        before[Counted(key.counted)] += 1
        numbers[key] = before[Counted(key.counted)]
    tables: dict[str, list[Any]] = {model.__tablename__: [] for model in MODELS}
    for part in parts:
        for row in Rows(part, numbers, datetime.now(UTC)).all(imports):
            cells = dict(zip(COLUMNS[row.table], row.line.split("\t"), strict=True))
            kept = [undated(cell) for name, cell in cells.items() if name not in OF_TELLING]
            tables.setdefault(row.table, []).append(kept)
    return tables


@pytest.mark.parametrize("seed", range(2))
def test_parts_end_as_the_whole(app: Flask, seed: int) -> None:
    chance = random.Random(seed)
    applying.rule(LinksNobody(NOBODY), Ordered("doc"))
    last = max(database.read(lambda connection: connection.scalars(select(Event.id)).all()))
    files = [as_file(some_rows(chance)) for _ in range(3)]
    for file, feed in zip(files, ("shop", "till", "shop"), strict=True):
        bring(file, feed=feed)

    told = []
    for number, file in enumerate(files):
        whole = on(file)
        for line, cells in whole.file.rows():
            calls = whole.reader().read(line, cells).calls
            told += [(number, Place(number, line, each), call) for each, call in enumerate(calls)]
    imports = {
        number: Brought(number + 1, register.feed(feed), datetime.now(UTC))
        for number, feed in enumerate(("shop", "till", "shop"))
    }
    ruled = Ruled(database.read(evidence.ruled_nobody))
    parts = [followed(pool, ruled, imports) for pool in parts_of(told, ruled)]
    made = rows_of(parts, imports, last)

    for model in MODELS:
        table = model.__tablename__
        assert sorted(made[table]) == sorted(stored(model)), table


def stored(model: Any) -> list[list[str]]:
    """The rows that followed from files: no ruling made them."""
    columns = [getattr(model, name) for name in COLUMNS[model.__tablename__]]
    chosen = select(*(column for column in columns if column.key not in OF_TELLING))
    if model is Identifier:
        chosen = chosen.where(Identifier.contact_id.is_not(None))
    if model is Event:
        chosen = chosen.where(Event.source.startswith("import:"))
    with db.engine.connect() as connection:
        return [[as_written(cell) for cell in row] for row in connection.execute(chosen)]


def as_written(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat() if cell.year < 2020 else ""
    if isinstance(cell, bool):
        return "t" if cell else "f"
    return r"\N" if cell is None else str(cell)


def undated(text: str) -> str:
    return "" if text.startswith("20") and text[:4] >= "2020" and "T" in text else text
