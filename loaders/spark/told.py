"""What files and a copy say, spread over the machines: a row for each call and each claim.

A file is read by one task, with the reader that every import has, so a cell is understood in one
way. Many files are read at once; a large one is best cut into several that begin with its header.
"""

import io
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession

from identity.copying import lines
from identity.copying.lines import ClaimLine
from identity.deciding import Call, Memory
from identity.errors import InvalidInput
from identity.evidence import Telling
from identity.identifiers import KINDS, Value
from identity.importing.columns import Chosen
from identity.importing.files import examine
from identity.importing.run import Source
from loaders.following import COPY, Place, values_of

CALL, CLAIM, WITHDRAWN = "call", "claim", "withdrawn"
"""What a row of `COLUMNS` is: what a file says, and the claims of a copy."""
DOUBT, ROWS, UNUSABLE = "doubt", "rows", "unusable"
"""Or a row of which something cannot be used, how many a file has, why it cannot be used at all."""
COLUMNS = (
    "kind string, file int, line long, call int, here long, there long, "
    "first_here long, first_there long, "
    "email string, phone_number string, dated long, reference string, name string, text string"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Given(NamedTuple):
    """A file, and who tells it."""

    path: str
    feed: str
    """Empty for the kind of file."""
    region: str | None


class Row(NamedTuple):
    """A row of `COLUMNS`."""

    kind: str
    file: int
    line: int
    call: int = 0
    here: int | None = None
    """The number of an identifier that it tells, the email if there is one."""
    there: int | None = None
    """That of the other."""
    first_here: int | None = None
    """Those of the first call of its line, if it is not the first itself."""
    first_there: int | None = None
    email: str | None = None
    phone_number: str | None = None
    dated: int | None = None
    """Microseconds since 1970."""
    reference: str | None = None
    name: str | None = None
    text: str | None = None


def read(spark: SparkSession, files: list[Given], copy: Path | None) -> DataFrame:
    """Return everything that files and a copy say."""
    context = spark.sparkContext
    told = context.parallelize(list(enumerate(files)), max(1, len(files))).flatMap(_of_file)
    if copy is not None:
        claims = context.textFile(str(copy)).filter(_is_claim).map(_of_claim)
        told = told.union(claims)
    return spark.createDataFrame(told, COLUMNS, verifySchema=False)


def number(value: Value) -> int:
    """Return what stands for an identifier where only what is connected matters.

    Should two have the same, they are decided in one place, and nothing comes of that.
    """
    digest = blake2b(f"{value.kind}{value.text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def source(given: Given) -> Source:
    """Return a file as it is to be read; raise `InvalidInput` when it cannot be used."""
    path = Path(given.path)
    file = examine(path.name, partial(io.FileIO, path), Chosen())
    return Source(file, given.region, given.feed)


def _of_file(numbered: tuple[int, Given]) -> Iterator[Row]:
    file, given = numbered
    try:
        whole = source(given)
    except InvalidInput as problem:
        yield Row(UNUSABLE, file, 0, text=str(problem))
        return
    described = json.dumps([whole.name, whole.file.name, whole.file.header])
    yield Row(ROWS, file, whole.file.count, text=described)
    reader = whole.reader()
    for line, cells in whole.file.rows():
        calls, doubts = reader.read(line, cells)
        first: tuple[int | None, int | None] = None, None
        for call_number, call in enumerate(calls):
            row = _of_call(Place(file, line, call_number), call, first)
            first = first if call_number else (row.here, row.there)
            yield row
        if doubts:
            yield Row(DOUBT, file, line, text=json.dumps([doubts, cells, bool(calls)]))


def again(
    spark: SparkSession, files: list[Given], lines: Mapping[int, Collection[int]]
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield some lines of files once more: the file, the line and its cells."""

    def of_file(asked: tuple[int, Given, Collection[int]]) -> Iterator[tuple[int, int, list[str]]]:
        file, given, wanted = asked
        rows = source(given).file.rows()
        return ((file, line, cells) for line, cells in rows if line in wanted)

    asked = [(file, files[file], frozenset(wanted)) for file, wanted in lines.items()]
    lines_of = spark.sparkContext.parallelize(asked, max(1, len(asked))).flatMap(of_file)
    yield from lines_of.toLocalIterator()


def _of_call(place: Place, call: Call, first: tuple[int | None, int | None]) -> Row:
    here, there = _numbers(call.values())
    dated = None if call.dated is None else (call.dated - EPOCH) // MICROSECOND
    connects = Row(CALL, *place, here, there, *first)
    return connects._replace(
        email=call.email,
        phone_number=call.phone_number,
        dated=dated,
        reference=call.reference,
        name=call.name,
    )


def _numbers(values: Any) -> tuple[int, int | None]:
    here, *there = map(number, values)
    return here, there[0] if there else None


def call_of(row: Any) -> Call:
    """Return the call of a row."""
    dated = None if row.dated is None else EPOCH + row.dated * MICROSECOND
    return Call(row.email, row.phone_number, dated, row.line, row.reference, row.name)


def _is_claim(content: str) -> bool:
    return content.startswith('{"line":"claim"')


def _of_claim(content: str) -> Row:
    claim = claim_line(content)
    here, there = _numbers(values_of((claim.email, claim.phone_number)))
    kept = claim.email, claim.phone_number
    kind = CLAIM if claim.stands else WITHDRAWN
    return Row(kind, COPY, claim.id, 0, here, there, None, None, *kept, text=content)


def claim_line(content: str) -> ClaimLine:
    """Return a claim from its line in a copy."""
    parsed = lines.parsed(content.encode())
    assert isinstance(parsed, ClaimLine)
    return parsed


def telling(claim: ClaimLine) -> Telling:
    """Return a claim as what decides has it."""
    memory = Memory(
        claim.contact_id, claim.brought and KINDS[claim.brought], claim.other_contact_id
    )
    told = claim.id, claim.email, claim.phone_number, claim.source, claim.told_at
    follows = claim.dated_at, claim.import_id, memory, claim.held_by
    return Telling(*told, *follows, claim.stands, False)
