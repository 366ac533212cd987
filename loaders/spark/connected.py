"""What is connected: GraphX's connected components over who is told with whom.

GraphX has no interface for Python. What it reads and writes as text has none either, and needs
none, so pairs of numbers go in and out of it through files.
"""

from collections.abc import Collection
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

ENDLESS = 2**31 - 1
"""Rounds that it may take: as many as the longest way between two identifiers has steps."""
PAIR = r"\((-?\d+),(-?\d+)\)"


def connected(
    spark: SparkSession, told: DataFrame, nobody: Collection[int], work: Path
) -> DataFrame:
    """Return what was told, with the number of what it is connected with as `component`.

    What links nobody, by those numbers, connects nothing.
    """
    keyed = told.withColumn("key", _key(F.col("here"), F.col("there"), nobody))
    _write_pairs(keyed, nobody, work / "pairs")
    components = _components(spark, work / "pairs", work / "components")
    joined = keyed.join(components, keyed.key == components.id, "left")
    return joined.withColumn("component", F.coalesce("component", "key"))


def _key(here: Column, there: Column, nobody: Collection[int]) -> Column:
    """Return by which of two identifiers something is connected: the first that links."""
    if not nobody:
        return here
    return F.when(here.isin(*nobody), F.coalesce(there, here)).otherwise(here)


def _write_pairs(keyed: DataFrame, nobody: Collection[int], folder: Path) -> None:
    first = _key(F.col("first_here"), F.col("first_there"), nobody)
    pairs = keyed.select("key", F.col("there").alias("other")).union(
        # What a line says is told, held or left out as one, and so is decided in one place.
        keyed.select("key", first.alias("other"))
    )
    pairs = pairs.where("other is not null and other <> key")
    if nobody:
        pairs = pairs.where(~F.col("key").isin(*nobody) & ~F.col("other").isin(*nobody))
    pairs.distinct().select(F.concat_ws(" ", "key", "other")).write.text(str(folder))


def _components(spark: SparkSession, pairs: Path, folder: Path) -> DataFrame:
    jvm = spark._jvm
    assert jvm
    graphx, level = jvm.org.apache.spark.graphx, jvm.org.apache.spark.storage.StorageLevel
    kept = level.MEMORY_AND_DISK()
    context = spark.sparkContext._jsc.sc()
    graph = graphx.GraphLoader.edgeListFile(context, str(pairs), False, -1, kept, kept)
    whole_number = jvm.scala.reflect.ClassTag.Int()
    found = graphx.lib.ConnectedComponents.run(graph, ENDLESS, whole_number, whole_number)
    found.vertices().saveAsTextFile(str(folder))
    found.unpersist(False)
    graph.unpersist(False)
    text = spark.read.text(str(folder))
    return text.select(
        *(
            F.regexp_extract("value", PAIR, place).cast("long").alias(name)
            for place, name in ((1, "id"), (2, "component"))
        )
    )
