"""A file, examined before anything of it is written: which values strangers share.

What is worth a closer look is found among the hashes of all that the file says, and only those rows
are looked at: a file in which nothing is shared is through in a moment. Nothing slips through: kept
is whatever some tell who differ, with some that only seem so, which a closer look lets go.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection

from identity import database, evidence
from identity.caution import names, onrecord, strangers
from identity.caution.strangers import Crowd, Record
from identity.caution.suspects import Suspect
from identity.deciding import Call
from identity.fillers import FEW, MANY, looks_like_filler, too_many
from identity.identifiers import Kind, Value
from identity.importing.reading import Reading
from identity.importing.run import Source

AT_MOST = 1_000
"""Suspects that are told and ruled about; the worst ones first. Each ruling is a transaction."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found in a file."""

    suspects: tuple[Suspect, ...] = ()
    """The worst first."""
    more: int = 0
    """How many were left out."""


def examine(source: Source, many: int = MANY) -> Examined:
    """Return the values of a file that join too many strangers. Writes nothing."""
    return judge(_crowds(source, remembers=onrecord.has_told(source.name)), source.name, many)


def judge(crowds: Mapping[Value, Crowd], source: str, many: int = MANY) -> Examined:
    """Return which of the values that some tell join too many strangers. Writes nothing."""
    if not crowds:
        return Examined()
    with database.snapshot() as connection:
        suspects = list(_suspects(connection, source, crowds, many))
    suspects.sort(key=lambda each: (-each.strangers, each.value))
    return Examined(tuple(suspects[:AT_MOST]), max(0, len(suspects) - AT_MOST))


def _crowds(source: Source, *, remembers: bool) -> dict[Value, Crowd]:
    """Return those who tell each value that may be too many people's."""
    newcomers = source.reading.newcomers
    closer = newcomers.shared(FEW)
    if remembers:
        closer |= _fillers(source.reading)
    crowds: dict[Value, Crowd] = {}
    if closer:
        for _, calls in source.reading.chosen(newcomers.of_rows_with(closer)):
            for _, row in groupby(calls, attrgetter("line")):
                gather(list(row), lambda value: hash(value.text) in closer, crowds)
    return crowds


def _fillers(reading: Reading) -> set[int]:
    """Return the hashes of what looks like nobody's, which the source may have told before."""
    fillers: set[int] = set()
    for batch in reading.batches():
        for kind, texts in zip((Kind.EMAIL, Kind.PHONE), batch.columns, strict=False):
            told = {text for text in texts if text is not None}
            fillers.update(hash(text) for text in told if looks_like_filler(Value(kind, text)))
    return fillers


def gather(
    calls: Sequence[Call], keeps: Callable[[Value], bool], crowds: dict[Value, Crowd]
) -> None:
    """Note who tells each value that is worth it, of the calls of one row."""
    values = tuple(dict.fromkeys(value for call in calls for value in call.values()))
    name = names.words(calls[0].name) if calls[0].name else ()
    for value in filter(keeps, values):
        others = tuple(each for each in values if each != value)
        crowds.setdefault(value, Crowd()).add(Record(others, calls[0].reference, name))


def _suspects(
    connection: Connection, source: str, crowds: Mapping[Value, Crowd], many: int
) -> Iterable[Suspect]:
    nobody = evidence.ruled_nobody(connection)
    crowds = {value: crowd for value, crowd in crowds.items() if value not in nobody}
    fillers = {value for value in crowds if looks_like_filler(value)}
    rows = {value: crowds[value].rows for value in fillers}
    before = onrecord.told_before(connection, source, rows)
    for value, records in before.items():
        # What this file says again is no telling more.
        records -= crowds[value].records
        crowds[value].records |= records
    blurred = {value for value, crowd in crowds.items() if crowd.is_blurred()} | fillers | nobody
    suspected = {
        value: crowd
        for value, crowd in crowds.items()
        if _is_suspect(value, strangers.count(crowd, blurred, (), many), many)
    }
    together = onrecord.together(connection, suspected)
    undone = onrecord.undone(connection, suspected)
    for value, crowd in suspected.items():
        found = strangers.count(crowd, blurred, together.get(value, ()), many)
        if _is_suspect(value, found, many):
            yield Suspect(
                *(value, crowd.rows, len(crowd.others()), len(crowd.names()), found.count),
                told_before=len(before.get(value, ())),
                undone=undone.get(value),
            )


def _is_suspect(value: Value, found: strangers.Strangers, many: int) -> bool:
    return too_many(value, found.count, named=found.named, many=many)


def examine_records(value: Value, records: Collection[Record], many: int = MANY) -> Suspect | None:
    """Return what is to be told of a value that some have given; None when they are few."""
    crowd = Crowd(len(records), set(records))
    found = strangers.count(crowd, many=many)
    if not _is_suspect(value, found, many):
        return None
    return Suspect(value, crowd.rows, len(crowd.others()), len(crowd.names()), found.count)
