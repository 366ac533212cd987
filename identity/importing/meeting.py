"""What is on record of a file: who its values are, and which of its calls were told before."""

from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import compress

from sqlalchemy import Connection

from identity import database
from identity.batching import looking
from identity.batching.questions import APART
from identity.deciding import Content, Known, Ruled
from identity.deciding.outline import CLAIM, PAIR, OnRecord, number_of
from identity.identifiers import Kind, Value
from identity.importing.beforehand import Beforehand
from identity.importing.imagining import ANYBODY
from identity.importing.reading import Reading
from identity.moments import MOMENTS


def of(reading: Reading, source: str) -> OnRecord:
    """Return what is on record of a file now; `source` tells what the file says."""
    if not database.read(lambda connection: connection.scalar(ANYBODY)):
        return OnRecord()
    values, holders, ages = array("q"), array("q"), array("q")
    ruled, nobody = array("q"), array("q")
    age_of: Callable[[datetime], int] = lru_cache(MOMENTS)(number_of)
    for known, links_nobody, drifted in _found(reading):
        for value, primary_id in known.holders.items():
            values.append(hash(value.text))
            holders.append(primary_id)
            ages.append(age_of(known.oldest[primary_id][0]))
        nobody.extend(hash(value.text) for value in links_nobody)
        ruled.extend(hash(value.text) for value in (*links_nobody, *drifted))
    ruled.extend(map(hash, database.read(_kept_apart)))
    record = OnRecord(values, holders, ages, ruled, nobody)
    return replace(record, told=_told(reading, reading.newcomers.asked(record), source))


def after(record: OnRecord, rulings: Beforehand) -> OnRecord:
    """Return what would be on record after some rulings."""
    return replace(
        record,
        ruled=[*record.ruled, *(hash(value.text) for value in rulings.values())],
        nobody=[*record.nobody, *(hash(value.text) for value in rulings.nobody)],
    )


def _found(reading: Reading) -> Iterator[tuple[Known, set[Value], list[Value]]]:
    """Yield who holds the values of a file, which link nobody, and what cannot be true."""
    for batch in reading.batches():
        for kind, texts in zip((Kind.EMAIL, Kind.PHONE), batch.columns, strict=False):
            yield database.read(partial(_read_holders, kind, texts))


def _read_holders(
    kind: Kind, texts: Sequence[str | None], connection: Connection
) -> tuple[Known, set[Value], list[Value]]:
    known, ruled = Known(), Ruled()
    drifted = list(looking.read_holders(connection, kind, texts, known, ruled))
    return known, ruled.nobody, drifted


def _kept_apart(connection: Connection) -> set[str]:
    """Return all texts that are kept apart from others."""
    return {text for row in connection.execute(APART) for text in (row.value, row.other_value)}


def _told(reading: Reading, asked: bytes, source: str) -> bytes:
    """Tell of each call that is asked about whether somebody has told it, and its source."""
    told = bytearray()
    for batch, here in reading.marked(asked):
        if 1 not in here:
            told += bytes(batch.size)
            continue
        emails, numbers = (compress(each, here) for each in batch.columns[:2])
        contents = list(zip(emails, numbers, strict=True))
        known = database.read(partial(_read_told, set(contents), source))
        answers = (
            PAIR * (content in known.pairs) + CLAIM * (content in known.claims)
            for content in contents
        )
        told += bytes(next(answers) if is_asked else 0 for is_asked in here)
    return bytes(told)


def _read_told(contents: Collection[Content], source: str, connection: Connection) -> Known:
    known = Known()
    looking.read_claims(connection, contents, source, known)
    return known
