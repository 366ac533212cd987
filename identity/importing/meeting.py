"""Which values of a file are on record or ruled about: what concerns those has to be decided."""

from array import array
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Self

from sqlalchemy import Connection

from identity import database
from identity.batching.questions import APART, ON_RECORD
from identity.bulk import Question
from identity.identifiers import Kind, Value
from identity.importing.beforehand import Beforehand
from identity.importing.imagining import ANYBODY
from identity.importing.reading import Reading


class Met(NamedTuple):
    """What is on record of a file, by the hashes of the values."""

    values: Collection[int] = ()
    nobody: Collection[int] = ()
    """Those of them that link nobody."""

    def after(self, rulings: Beforehand | None) -> Self:
        """Return what would be met after some rulings."""
        if rulings is None:
            return self
        nobody = map(_hash, rulings.nobody)
        return self._replace(
            values=[*self.values, *map(_hash, rulings.values())], nobody=[*self.nobody, *nobody]
        )


def _hash(value: Value) -> int:
    return hash(value.text)


def of(reading: Reading) -> Met:
    """Return what is on record of a file now."""
    if not database.read(lambda connection: connection.scalar(ANYBODY)):
        return Met()
    values, nobody = array("q"), array("q")
    for text, links_nobody in _found(reading):
        values.append(hash(text))
        if links_nobody:
            nobody.append(hash(text))
    values.extend(map(hash, database.read(_kept_apart)))
    return Met(values, nobody)


def _found(reading: Reading) -> Iterator[tuple[str, bool]]:
    """Yield the texts on record that a file gives, and whether they link nobody."""
    for batch in reading.batches():
        for kind, texts in zip((Kind.EMAIL, Kind.PHONE), batch.columns, strict=False):
            yield from database.read(partial(_ask, ON_RECORD[kind], texts))


def _ask(
    question: Question, texts: Sequence[str | None], connection: Connection
) -> list[tuple[str, bool]]:
    asked = ((text,) for text in texts if text is not None)
    return [(text, id_ is None) for text, id_ in question.ask(connection, asked)]


def _kept_apart(connection: Connection) -> set[str]:
    """Return all texts that are kept apart from others."""
    return {text for row in connection.execute(APART) for text in (row.value, row.other_value)}
