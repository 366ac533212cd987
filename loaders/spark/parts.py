"""Each part by itself: what follows from it, the numbers of that, and the rows.

What is connected lies together in a bucket, and buckets are what travels between machines. They
hold whole parts, as many as make it worth the journey.
"""

import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from identity.deciding import Ruled
from loaders import tables
from loaders.following import Brought, Followed, Place, Pool, followed
from loaders.numbering import Counted
from loaders.spark import told
from loaders.tables import Rows

IN_A_BUCKET = 2_000
"""Calls and claims. What one part has lies in one bucket, however many they are."""
FOLLOWED = "bucket long, followed binary, keys array<binary>, counts binary"
ROWS = "table string, place long, line string"


@dataclass(frozen=True)
class Setting:
    """What is the same for every part."""

    ruled: Ruled
    imports: Mapping[int, Brought]
    now: datetime


class Lasts(NamedTuple):
    """The last numbers that were given."""

    contact: int
    place: int


def follow(spark: SparkSession, connected: DataFrame, count: int, setting: Setting) -> DataFrame:
    """Let follow what was told, bucket by bucket."""
    buckets = count // IN_A_BUCKET + 1
    in_order = (
        connected.withColumn("bucket", F.pmod(F.xxhash64("component"), F.lit(buckets)))
        .repartition("bucket")
        .sortWithinPartitions("bucket", "component", "file", "line", "call")
    )

    def each(rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        for bucket, inside in groupby(rows, key=lambda row: row.bucket):
            parts = list(_followed(inside, setting))
            keys = sorted(key.packed() for part in parts for key in part.all_keys())
            counts = pickle.dumps([(part.counts, part.empty) for part in parts])
            kept = bytearray(pickle.dumps(parts)), list(map(bytearray, keys)), bytearray(counts)
            yield bucket, *kept

    return spark.createDataFrame(in_order.rdd.mapPartitions(each), FOLLOWED, verifySchema=False)


def _followed(rows: Iterable[Any], setting: Setting) -> Iterator[Followed]:
    pools: dict[frozenset[int], list[Any]] = {}
    for _, part in groupby(rows, key=lambda row: row.component):
        connected = list(part)
        # Those of the same imports go through them together.
        pools.setdefault(frozenset(row.file for row in connected), []).extend(connected)
    for connected in pools.values():
        connected.sort(key=lambda row: (row.file, row.line, row.call))
        yield followed(_pool(connected), setting.ruled, setting.imports)


def _pool(rows: Iterable[Any]) -> Pool:
    pool = Pool()
    for row in rows:
        if row.kind == told.CALL:
            place = Place(row.file, row.line, row.call)
            pool.calls.setdefault(row.file, []).append((place, told.call_of(row)))
        else:
            line = told.claim_line(row.text)
            pool.claims.append(told.telling(line))
            pool.references.update((line.id, each.reference, each.name) for each in line.references)
    return pool


def numbered(spark: SparkSession, followed: DataFrame) -> tuple[DataFrame, int, int]:
    """Return the places of each bucket's keys in the order of all, and how many keys there are.

    These are first those of contacts, as many as is told next, and then all others.
    """
    keys = followed.select("bucket", F.explode("keys").alias("key"))
    ordered = keys.orderBy("key").withColumn("partition", F.spark_partition_id())
    # Within a partition it counts up by one.
    ordered = ordered.withColumn("place", F.monotonically_increasing_id()).persist()
    is_contact = F.substring("key", 1, 1) == F.lit(bytearray([Counted.CONTACTS]))
    figures = F.min("place"), F.count("*"), F.count_if(is_contact)
    sizes = ordered.groupBy("partition").agg(*figures).collect()
    before, contacts, shifts = 0, 0, list[tuple[int, int]]()
    for partition, first, size, of_contacts in sorted(sizes):
        shifts.append((partition, before - first))
        before, contacts = before + size, contacts + of_contacts
    shift = F.broadcast(spark.createDataFrame(shifts or [(0, 0)], "partition int, shift long"))
    place = F.collect_list(F.col("place") + F.col("shift"))
    by_bucket = ordered.join(shift, "partition").groupBy("bucket")
    placed = by_bucket.agg(F.sort_array(place).alias("places"))
    return placed, contacts, before - contacts


def write_rows(
    followed: DataFrame,
    placed: DataFrame,
    others: DataFrame,
    contacts: int,
    lasts: Lasts,
    setting: Setting,
    folder: Path,
) -> None:
    """Write the rows of all tables as COPY takes them, each table in a folder below `ordered`."""

    def rows_of(row: Any) -> Iterator[tables.Row]:
        # Both are in the order of the keys.
        parts, places = pickle.loads(row.followed), iter(row.places or ())
        keys = sorted(key for part in parts for key in part.all_keys())
        numbers = {
            key: place + lasts.contact + 1
            if key.counted == Counted.CONTACTS
            else place - contacts + lasts.place + 1
            for key, place in zip(keys, places, strict=True)
        }
        for part in parts:
            yield from Rows(part, numbers, setting.now).all(setting.imports)

    together = followed.select("bucket", "followed").join(placed, "bucket", "left")
    rows = together.rdd.flatMap(rows_of).union(others.rdd.flatMap(_rows_beside))
    spark = followed.sparkSession
    written = spark.createDataFrame(rows, ROWS, verifySchema=False)
    # To put them in order, Spark looks at them twice.
    made = kept(written, folder / "made")
    in_order = made.repartitionByRange("table", "place").sortWithinPartitions("table", "place")
    in_order.select("table", "line").write.partitionBy("table").text(str(folder / "ordered"))


def kept(rows: DataFrame, folder: Path) -> DataFrame:
    """Return the same rows, worked out once and kept in a folder."""
    rows.write.parquet(str(folder))
    return rows.sparkSession.read.parquet(str(folder))


def _rows_beside(row: Any) -> Iterator[tables.Row]:
    """Yield the rows of a claim from which nothing follows, and those that lie beside any."""
    line = told.claim_line(row.text)
    if not line.stands:
        yield tables.claim_row(told.telling(line))
    for each in line.references:
        yield tables.reference_row(line.id, each.reference, each.name, each.import_id)
    for ruling_id in line.withdrawn_by:
        yield tables.withdrawal_row(ruling_id, line.id)


def counts(followed: DataFrame) -> tuple[dict[int, Counter[str]], dict[int, set[int]]]:
    """Return what each import brought, and the lines of its rows of which nothing is left."""
    brought: dict[int, Counter[str]] = {}
    empty: dict[int, set[int]] = {}
    for row in followed.select("counts").toLocalIterator():
        for part, lines in pickle.loads(row.counts):
            for file, figures in part.items():
                brought.setdefault(file, Counter()).update(figures)
            for file, line in lines:
                empty.setdefault(file, set()).add(line)
    return brought, empty
