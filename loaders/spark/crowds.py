"""What strangers share, found before anything is ruled, decided or written.

Who tells a value that many tell is looked up on all machines; whether they are strangers is judged
on one, as of every import.
"""

from collections.abc import Collection
from itertools import groupby

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from identity.caution import examining
from identity.caution.examining import Examined
from identity.caution.strangers import Crowd
from identity.fillers import FEW
from identity.identifiers import Kind, Value
from loaders.spark import told

VALUES = {"email": Kind.EMAIL, "phone_number": Kind.PHONE}


def examine(calls: DataFrame, files: Collection[int], source: str, many: int) -> Examined:
    """Return the values that too many strangers give in some files, which are of one source."""
    of_source = calls.where(F.col("file").isin(*files))
    values = of_source.select("*", F.explode(F.array(*map(_value, VALUES))).alias("value"))
    values = values.where("value is not null")
    # Of the phone number and the email, one is the value itself and differs from nobody's.
    who = F.xxhash64("email", "phone_number", "name")
    crowded = values.groupBy("value").agg(F.count_distinct(who).alias("count"))
    crowded = crowded.where(F.col("count") >= FEW).select("value").persist()
    kept = {Value(VALUES[row.value.kind], row.value.text) for row in crowded.collect()}
    lines = values.join(crowded, "value", "left_semi").select("file", "line").distinct()
    rows = of_source.join(lines, ["file", "line"], "left_semi").orderBy("file", "line", "call")
    crowds: dict[Value, Crowd] = {}
    each_line = groupby(rows.toLocalIterator(), key=lambda row: (row.file, row.line))
    for _, row in each_line:
        examining.gather([told.call_of(call) for call in row], kept.__contains__, crowds)
    crowded.unpersist()
    return examining.judge(crowds, source, many)


def _value(name: str) -> Column:
    value = F.struct(F.lit(name).alias("kind"), F.col(name).alias("text"))
    return F.when(F.col(name).isNotNull(), value)
