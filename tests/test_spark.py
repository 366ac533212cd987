"""The loader on Spark ends in the tables that imports one after another end in."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from pyspark.sql import SparkSession

from benchmarks import shopify
from identity import ROOT
from identity.caution import running
from identity.copying import making, reading, restoring
from identity.errors import Conflict, IdentityError, InvalidInput
from identity.identifiers import Identifiers, Kind, Value
from identity.importing import register, run
from identity.reconciliation import identify
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn, LinksNobody, What
from identity.verification import verify
from loaders.spark import loading, told
from loaders.spark.told import Given
from tests.bringing import Watcher
from tests.conftest import MakeDatabase, app_on, close

pytestmark = pytest.mark.spark

MANY = int(os.environ.get("SPARK_ROWS", "3000"))
"""Rows of the largest file. `script/test-spark 1000000` asks for a million."""
NOW = "CASE WHEN {0} < '2026-01-01' THEN {0} END AS {0}"
"""A moment that a file told; none for when something was told."""
BY_PLACE = "(SELECT id, row_number() OVER (ORDER BY id) AS place FROM claim) AS placed"
TABLES = {
    "contact": (
        "SELECT id, email, phone_number, linked_id, link_precedence, "
        f"{NOW.format('created_at')} FROM contact WHERE deleted_at IS NULL ORDER BY id"
    ),
    "identifier": "SELECT * FROM identifier ORDER BY kind, value",
    "claim": (
        "SELECT place, email, phone_number, source, import_id, contact_id, brought, "
        f"other_contact_id, held_by, stands, {NOW.format('dated_at')} "
        f"FROM claim JOIN {BY_PLACE} USING (id) ORDER BY id"
    ),
    "reference": (
        "SELECT place, reference, name, import_id FROM reference "
        f"JOIN {BY_PLACE} ON id = claim_id ORDER BY 1, 2, 3"
    ),
    "withdrawal": (
        f"SELECT place, ruling_id FROM withdrawal JOIN {BY_PLACE} ON id = claim_id ORDER BY 1, 2"
    ),
    "kept_apart": "SELECT * FROM kept_apart ORDER BY 1, 2, 3, 4",
    "ruling": (
        "SELECT id, kind, what, by, reason, plan::text, withdrawn_by, done FROM ruling ORDER BY id"
    ),
    "import": "SELECT id, file_name, feed, counts::text FROM import ORDER BY id",
}
LEDGER = (
    "SELECT id, kind, source, primary_id, contact_id, email, phone_number, detail::text, in_claims"
    " FROM event ORDER BY id"
)
"""Compared where an import is one transaction: what a customer was is told by each."""
HELD = "SELECT id FROM claim WHERE held_by IS NOT NULL"
COUNTED = "SELECT nextval('contact_id_seq'), nextval('event_id_seq')"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(ROOT)
    settings: dict[str, bool | float | int | str | None] = {
        "spark.driver.memory": os.environ.get("SPARK_MEMORY", "1g"),
        "spark.sql.shuffle.partitions": "4" if MANY > 10_000 else "2",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]" if MANY > 10_000 else "local[1]")
    session = builder.config(map=settings).getOrCreate()
    yield session
    session.stop()


Make = Callable[[], str]


@pytest.fixture
def make(make_database: MakeDatabase, template: str) -> Make:
    """Make a migrated database on PostgreSQL and return its address."""
    return partial(make_database, template)


@contextmanager
def on(url: str) -> Iterator[Flask]:
    app = app_on(url)
    try:
        with app.app_context():
            yield app
    finally:
        close(app)


def order(files: Sequence[Path | tuple[str, Path]], work: Path, **more: Any) -> loading.Order:
    named = [each if isinstance(each, tuple) else ("", each) for each in files]
    given = [Given(str(path), feed, None) for feed, path in named]
    return loading.Order(given, more.get("copy"), work, 4, more.get("as_it_is", False))


def bring(feed: str, path: Path, *, as_it_is: bool) -> None:
    import_id = register.give(path.name, "the command line")
    source = told.source(Given(str(path), feed, None))
    carry_out = run.carry_out if as_it_is else running.carry_out
    carry_out(source, Watcher(), import_id)


def rows_of(url: str, question: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(question.encode()).fetchall()


def assert_same_rows(one: str, other: str, table: str, question: str) -> None:
    asked = question.encode()
    # A million of them: not all at once.
    with (
        psycopg.connect(one) as here,
        psycopg.connect(other) as there,
        here.cursor(name="rows") as ours,
        there.cursor(name="rows") as theirs,
    ):
        for row, same in zip(ours.execute(asked), theirs.execute(asked), strict=True):
            assert row == same, table


def assert_same(one: str, other: str, *, ledger: bool = True) -> None:
    for table, question in TABLES.items():
        assert_same_rows(one, other, table, question)
    if ledger:
        assert_same_rows(one, other, "event", LEDGER)
        assert rows_of(one, COUNTED) == rows_of(other, COUNTED)
    with on(other):
        assert verify().problems == []


EMAILS = [f"{name}@hillvalley.edu" for name in "abcdefghijklmnop"]
PHONES = [f"+1617253{number:04}" for number in range(16)]


def customers(chance: random.Random, path: Path, rows: int) -> Path:
    """Write a file in which everything happens: repeats, dates, two phones, nothing, nonsense."""
    lines = ["email,phone,mobile,created at,reference,full name"]
    for _ in range(rows):
        email = chance.choice([*EMAILS, "", "", "nonsense"])
        phones = [chance.choice([*PHONES, "", "", "12"]) for _ in range(2)]
        if chance.random() < 0.7:
            phones[1] = ""
        dated = f"2024-0{chance.randrange(1, 9)}-01" if chance.random() < 0.6 else ""
        name = chance.choice(["", "Emmett Brown", "Lorraine Baines"])
        lines.append(",".join([email, *phones, dated, chance.choice(["", "7", "8"]), name]))
    path.write_text("\n".join(lines) + "\n")
    return path


def happen(chance: random.Random, steps: int) -> None:
    """Let callers tell and stewards rule."""
    values = [Value(Kind.EMAIL, each) for each in EMAILS] + [
        Value(Kind.PHONE, each) for each in PHONES
    ]
    told_ = []
    for _ in range(steps):
        email, phone = chance.choice([*EMAILS, None]), chance.choice([*PHONES, None])
        if email or phone:
            source = chance.choice(["checkout", "till"])
            told_.append((email, phone, source))
            identify(Identifiers(email, phone), source=source)
    rulings: list[What] = [LinksNobody(chance.choice(values)) for _ in range(2)]
    rulings += [Apart(*chance.sample(values, 2)) for _ in range(4)]
    rulings += [ClaimWithdrawn(*chance.choice(told_)) for _ in range(3)]
    for ruling in rulings:
        try:
            registered, _ = applying.rule(ruling, Ordered("doc"))
        except IdentityError:
            continue
        if chance.random() < 0.2:
            applying.withdraw(registered.id, Ordered("doc"))


@pytest.mark.parametrize("seed", [1955, 1985])
def test_a_copy_and_files_end_as_imports_one_after_another(
    spark: SparkSession, make: Make, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    copy = tmp_path / "before.copy"
    with on(make()):
        happen(chance, 40)
        copy.write_bytes(b"".join(making.parts()))
    files = [
        (feed, customers(chance, tmp_path / f"{number}.csv", 25))
        for number, feed in enumerate(("shop", "newsletter", "shop"))
    ]
    imported, loaded = make(), make()
    with on(imported):
        restoring.restore(reading.begin(lambda: copy.open("rb")), lambda _: None)
        for feed, path in files:
            bring(feed, path, as_it_is=True)

    with on(loaded):
        loading.carry_out(spark, order(files, tmp_path / "work", copy=copy, as_it_is=True))

    assert_same(imported, loaded)
    for table in ("kept_apart", "withdrawal", "reference", "event"):
        assert rows_of(loaded, TABLES.get(table, LEDGER)), table
    assert rows_of(loaded, HELD)


def test_many_rows_end_as_their_import(spark: SparkSession, make: Make, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    shopify.write(path, MANY)
    imported, loaded = make(), make()
    with on(imported):
        bring("", path, as_it_is=False)

    with on(loaded):
        loading.carry_out(spark, order([path], tmp_path / "work"))

    assert rows_of(loaded, "SELECT count(*) FROM ruling") > [(0,)]
    # By now an import is several transactions.
    assert_same(imported, loaded, ledger=False)


def test_what_is_not_empty_takes_nothing(spark: SparkSession, make: Make, tmp_path: Path) -> None:
    with on(make()):
        identify(Identifiers("mcfly@hillvalley.edu", None), source="checkout")

        with pytest.raises(Conflict, match="1 contacts and 1 claims"):
            loading.carry_out(spark, order([tmp_path / "any.csv"], tmp_path / "work"))


def test_what_cannot_be_used_is_told_before_anything_is_written(
    spark: SparkSession, make: Make, tmp_path: Path
) -> None:
    url, picture = make(), tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    with on(url), pytest.raises(InvalidInput, match=r"picture\.csv: "):
        loading.carry_out(spark, order([picture], tmp_path / "work"))

    assert rows_of(url, "SELECT id FROM import") == []


def test_the_command_loads_and_keeps_what_it_could_not_use(make: Make, tmp_path: Path) -> None:
    url, path = make(), tmp_path / "customers.csv"
    path.write_text("email,phone\nmcfly@hillvalley.edu,+16172530000\nnonsense,\n")
    given = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "SECRET_KEY": "hello, McFly",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": "--master local[1] --driver-memory 1g pyspark-shell",
    }
    command = [sys.executable, "-m", "loaders.spark", "--work", str(tmp_path / "work")]
    done = subprocess.run(
        [*command, f"checkout={path}"], cwd=ROOT, env=given, capture_output=True, text=True
    )

    assert done.returncode == 1, done.stderr
    assert rows_of(url, "SELECT source FROM claim") == [("feed:checkout",)]
    assert "nonsense" in (tmp_path / "customers.rejects.csv").read_text()
    assert not (tmp_path / "work").exists()
