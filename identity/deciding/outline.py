"""The calls of a file in columns of numbers, by which those are found that say the same."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

ABSENT = hash(None)
"""Stands for what is not given."""


class Outline:
    """The calls of a file, by the hashes of what they say: 32 bytes for each.

    A hash has 64 bits and another salt in each process. Of ten million values two have the same in
    one process of 400,000.
    """

    def __init__(self) -> None:
        self.emails, self.numbers, self.lines, self.names = (array("q") for _ in range(4))

    def add(
        self,
        emails: Sequence[str | None],
        numbers: Sequence[str | None],
        lines: Sequence[int],
        names: Sequence[str],
    ) -> None:
        """Take more calls, column by column."""
        self.emails.extend(map(hash, emails))
        self.numbers.extend(map(hash, numbers))
        self.lines.extend(lines)
        self.names.extend(map(hash, names))


@dataclass(frozen=True, slots=True)
class Brought:
    """What calls bring."""

    news: int
    """Rows that bring something new."""
    customers: int
    contacts: int
    links: int
    claims: int
