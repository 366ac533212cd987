"""The calls of a file in columns of numbers, by which those are found that say the same."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ABSENT = hash(None)
"""Stands for what is not given."""
UNDATED = 2**63 - 1
"""Stands for the date of a call that has none: it is of now, and no older than anybody."""
BEGINNING, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
PAIR, CLAIM = 1, 2
"""What is on record of a call: anybody has told the two together; its source has told all of it."""


def number_of(moment: datetime) -> int:
    """Return a moment as a number, which grows with it: of microseconds."""
    return (moment - BEGINNING) // MICROSECOND


class Outline:
    """The calls of a file, by the hashes of what they say: 40 bytes for each.

    A hash has 64 bits and another salt in each process. Of ten million values two have the same in
    one process of 400,000.
    """

    def __init__(self) -> None:
        self.emails, self.numbers, self.dates = array("q"), array("q"), array("q")
        self.lines, self.names = array("q"), array("q")

    def add(
        self,
        emails: Sequence[str | None],
        numbers: Sequence[str | None],
        dates: Iterable[int],
        lines: Sequence[int],
        names: Sequence[str],
    ) -> None:
        """Take more calls, column by column; dates as `number_of` says them."""
        self.emails.extend(map(hash, emails))
        self.numbers.extend(map(hash, numbers))
        self.dates.extend(dates)
        self.lines.extend(lines)
        self.names.extend(map(hash, names))


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What is on record of the calls of a file, by the hashes of their values."""

    values: Sequence[int] = ()
    """Those that are a customer's."""
    holders: Sequence[int] = ()
    """Of each of them the id of that customer's primary."""
    ages: Sequence[int] = ()
    """Of each of them when that primary was created, as `number_of` says it."""
    ruled: Collection[int] = ()
    """Values about which there is a ruling, or about which the tables contradict themselves."""
    nobody: Collection[int] = ()
    """Those of them that link nobody."""
    told: bytes = b""
    """Of each call whether it is a known `PAIR` and `CLAIM`; empty where none is."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What calls bring."""

    news: int
    """Rows that bring something new."""
    customers: int
    contacts: int
    links: int
    claims: int
