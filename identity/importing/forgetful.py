"""Rows of people who were erased: read as if what was erased did not stand in them.

So nothing of it comes to whatever rows are read for: an examination, a plan, an import, the rows
that could not be used. Of a row that is not used its cells are looked through one by one.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from identity.batching.sifting import left_of, told_in, without_texts
from identity.deciding import Call
from identity.identifiers import Value, email_value, is_of_email, phone_value
from identity.importing.addresses import emails_of
from identity.importing.numbers import phone_numbers_of
from identity.importing.rows import Read, RowReader

_WORDS = re.compile(r"[^\s,;|<>\"]+")


@dataclass(slots=True)
class Withheld:
    """What was left out of the rows read so far."""

    lines: dict[int, bool] = field(default_factory=dict)
    """Of each line with something erased: whether anything is left of it."""
    times: Counter[Value] = field(default_factory=Counter)
    """How often each was brought."""
    known_to: int | None = None
    """The last erasure that was known of when the rows were read."""

    def add(self, sifted: Mapping[int, Sequence[Call]]) -> None:
        """Add lines that were found out later, of somebody who was erased meanwhile."""
        self.lines.update((line, bool(left)) for line, left in sifted.items())

    @property
    def whole(self) -> int:
        """Of how many lines nothing is left."""
        return sum(not left for left in self.lines.values())


@dataclass(frozen=True, slots=True)
class ForgetfulReader(RowReader):
    """Reads rows without what was erased."""

    is_erased: Callable[[Value], bool] = lambda _: False
    withheld: Withheld = field(default_factory=Withheld)

    def read(self, line: int, cells: Sequence[str]) -> Read:
        """Return what one row says that was not erased, without its reference and name then."""
        read = RowReader.read(self, line, cells)
        found = {value for call in read.calls for value in call.values()}
        if read.doubts:
            found.update(self._anywhere(cells))
        met = set(filter(self.is_erased, found))
        if not met:
            return self._without_texts(line, read)
        calls = list(left_of(read.calls, met))
        if line not in self.withheld.lines:
            self.withheld.times.update(met)
        self.withheld.lines[line] = bool(calls)
        # What is in doubt would be shown and kept, with the whole row.
        return Read(calls, [])

    def _without_texts(self, line: int, read: Read) -> Read:
        met = set(filter(self.is_erased, told_in(read.calls)))
        if not met:
            return read
        if line not in self.withheld.lines:
            self.withheld.times.update(met)
        self.withheld.lines[line] = True
        return Read(without_texts(read.calls, met), read.doubts)

    def _anywhere(self, cells: Sequence[str]) -> Iterator[Value]:
        """Yield whatever looks like an identifier in any cell."""
        for text in filter(None, cells):
            yield from map(phone_value, phone_numbers_of(text, self.region).values)
            if is_of_email(text):
                for word in (text, *_WORDS.findall(text)):
                    yield from map(email_value, emails_of(word).values)
