"""The door of the loading dock: rehearse a file, or import it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice, zip_longest
from typing import Protocol

from sqlalchemy import func, select

from identity import database, evidence, forgetting
from identity.batching import taking
from identity.batching.recalling import Recall
from identity.deciding import NEW, Call, Decided
from identity.deciding.outline import OnRecord
from identity.errors import Contended
from identity.importing import meeting, register
from identity.importing.beforehand import Beforehand
from identity.importing.figures import Figures
from identity.importing.files import CustomerFile
from identity.importing.forgetful import ForgetfulReader, Withheld
from identity.importing.imagining import Imagined
from identity.importing.pacing import Pace
from identity.importing.reading import Batch, Doubtful, Reading
from identity.importing.rows import Doubt, Read, RowReader
from identity.importing.tally import Tally
from identity.models import Contact
from identity.writing import Written

NOTED = 2.0
"""Seconds between two notes of how far an import is, for whoever looks at it meanwhile."""
AHEAD = timedelta(days=1)
"""How far a clock may be ahead of ours. What comes from the future would stay the newest."""
LEFT_NOTHING = "Nothing is left of it: what it says links nobody, by a ruling."


@dataclass(frozen=True)
class Source:
    """A file, and how it is to be read."""

    file: CustomerFile
    region: str | None
    """For phone numbers of rows without a country."""
    feed: str = ""
    """Who tells what the file says; the kind of file when nobody says so."""

    @property
    def name(self) -> str:
        """What the claims of the file name as their source."""
        return register.feed(self.feed or self.file.columns.format)

    def reader(self) -> RowReader:
        """Return the reader of its rows."""
        latest = datetime.now(UTC) + AHEAD
        file = self.file
        # The cells of a workbook are not joined by a quotation mark without its partner.
        separator = "" if file.text.numbered else file.table.separator
        return RowReader(file.columns, self.region, latest, file.suspicious, separator)

    @cached_property
    def reading(self) -> Reading:
        """Its rows, read once for whoever wants them."""
        return Reading(self.forgetful, self.file)

    @cached_property
    def forgetful(self) -> RowReader:
        """The reader of its rows without people who were erased; raise `Unavailable`."""
        self.withheld.known_to, is_erased = database.read(forgetting.recognizer)
        plain = self.reader()
        if is_erased is None:
            return plain
        given = {each.name: getattr(plain, each.name) for each in fields(plain)}
        return ForgetfulReader(**given, is_erased=is_erased, withheld=self.withheld)

    @cached_property
    def withheld(self) -> Withheld:
        """What was erased, and is left out of the rows."""
        return Withheld()

    def first(self, rows: int, reader: RowReader | None = None) -> Iterator[tuple[int, Read]]:
        """Yield the line of each of the first rows, and how it is read: by `reader`, if given."""
        reader = reader or self.reader()
        for line, cells in islice(self.file.rows(), rows):
            yield line, reader.read(line, cells)


class Watcher(Protocol):
    """Whoever wants to know how it goes."""

    def read(self, rows: int) -> None:
        """Hear that so many more rows are done with."""

    def doubted(
        self, line: int, doubts: Sequence[Doubt], cells: Sequence[str], *, used: bool
    ) -> None:
        """Hear of a row of which something cannot be used, or nothing."""


@database.unhurried()
def rehearse(
    source: Source,
    watcher: Watcher,
    after: Beforehand | None = None,
    met: OnRecord | None = None,
) -> Tally:
    """Return the tally that importing a file now would end with. Writes nothing.

    `after` is what rulings would have changed by then, and `met` what of it is on record, where
    somebody has looked already. Raise `Unavailable` when the database cannot be reached.
    """
    imagined = Imagined(source.name, after)
    tally = _begin()
    if after is not None:
        tally.newest = max(tally.newest, after.next - 1 if after.next > NEW else 0)
    met = met or meeting.of(source.reading, source.name)
    if after is not None:
        met = meeting.after(met, after)
    concerned, brought = source.reading.newcomers.concerned(met)
    tally.bring(brought)
    for batch, calls in source.reading.chosen(concerned):
        _hear(batch, watcher, tally)
        if calls:
            _add(tally, [imagined.take(calls)])
        watcher.read(batch.rows)
    tally.leave_out(source.withheld)
    _reject_empty(source, watcher, tally)
    return tally


@database.unhurried()
def carry_out(
    source: Source,
    watcher: Watcher,
    import_id: int,
    ending: Callable[[], Mapping[str, object]] = dict,
) -> Tally:
    """Import a file as the import of that id, in batches of one transaction each.

    `ending` returns what else is to be noted of it together with its end.

    Other than `rehearse` it may end half-way, with `Unavailable`; what was written until then
    is consistent, and importing the file again does the rest.
    """
    tally = _begin()
    noted, now, figures, pace = time.monotonic(), datetime.now(UTC), Figures(), Pace()
    recall = Recall(source.file.count)
    # The file's own strangers, just ruled, are on record before any row of it is. Met one by one
    # among values that are supposed to be new, each would cost a batch written in vain.
    recall.known(database.read(evidence.ruled_nobody))
    register.note(import_id, started_at=now, seen_at=now, feed=source.name, counts=tally.counts())
    with register.running(import_id):
        for calls in _batches(source, watcher, tally):
            parts = [
                each
                for part in pace.parts(calls)
                for each in _in_parts(part, source, import_id, recall)
            ]
            _add(tally, [decided for decided, _ in parts], [ids for _, ids in parts])
            for decided, _ in parts:
                source.withheld.add(decided.sifted)
            tally.leave_out(source.withheld)
            figures.brought(tally.claims)
            if time.monotonic() > noted + NOTED:
                noted = time.monotonic()
                register.note(import_id, counts=tally.counts())
        figures.ended(tally.claims)
    tally.leave_out(source.withheld)
    forgetting.tried(source.withheld.times)
    _reject_empty(source, watcher, tally)
    end = {"counts": tally.counts(), "finished_at": datetime.now(UTC), **register.NOTHING}
    register.note(import_id, **end, **ending())
    return tally


def _begin() -> Tally:
    newest = database.read(lambda connection: connection.scalar(select(func.max(Contact.id))))
    return Tally(newest or 0)


def _batches(source: Source, watcher: Watcher, tally: Tally) -> Iterator[Sequence[Call]]:
    for batch in source.reading.batches():
        _hear(batch, watcher, tally)
        yield batch.calls
        watcher.read(batch.rows)


def _hear(batch: Batch, watcher: Watcher, tally: Tally) -> None:
    for doubtful in batch.doubtful:
        _doubt(tally, watcher, doubtful)
    # Before they are taken: of a broken-off import this is what is noted beside the news.
    tally.rows += batch.rows


def _doubt(tally: Tally, watcher: Watcher, doubtful: Doubtful) -> None:
    line, doubts, cells, used = doubtful
    tally.doubt(line, doubts, used=used)
    watcher.doubted(line, doubts, cells, used=used)


def _reject_empty(source: Source, watcher: Watcher, tally: Tally) -> None:
    """Reject the rows of which nothing was left, once it is known which these are."""
    if not tally.empty:
        return
    reader, doubts = source.forgetful, [Doubt("", LEFT_NOTHING)]
    for line, cells in source.file.rows():
        if line not in tally.empty:
            continue
        if reader.read(line, cells).doubts:
            # It was told of already, as one that is used in part.
            tally.doubtful -= 1
            tally.doubt(line, doubts, used=False)
        else:
            _doubt(tally, watcher, Doubtful(line, doubts, cells, used=False))


def _add(tally: Tally, parts: Sequence[Decided], ids: Sequence[Written] = ()) -> None:
    for decided, written in zip_longest(parts, ids):
        tally.add(decided, written.contact if written else int)
    # A row with two phone numbers is two calls, and may have ended up in two parts.
    told = {line for decided in parts for line in decided.told}
    tally.news += len({line for decided in parts for line in decided.news})
    tally.held += len({line for decided in parts for line in decided.held})
    tally.empty |= {line for decided in parts for line in decided.empty} - told


def _in_parts(
    calls: Sequence[Call], source: Source, import_id: int, recall: Recall
) -> list[tuple[Decided, Written]]:
    """Take a batch, in halves and halves of those where others are busy with its customers."""
    try:
        known_to = source.withheld.known_to
        told = taking.take(calls, source.name, import_id, recall=recall, known_to=known_to)
        return [told]
    except Contended:
        if len(calls) == 1:
            raise
    middle = len(calls) // 2
    halves = calls[:middle], calls[middle:]
    return [part for half in halves for part in _in_parts(half, source, import_id, recall)]
