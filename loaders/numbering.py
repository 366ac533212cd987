"""In which order everything is numbered, so that ids are those that one machine would have given.

Contacts are counted by the claims that made them. Claims and lines of the ledger are counted
together: the claims of an import, and then its lines.
"""

from enum import IntEnum
from struct import Struct
from typing import NamedTuple, Self


class Counted(IntEnum):
    """What is counted by itself."""

    CONTACTS = 0
    PLACES = 1
    """Those of claims, and of lines of the ledger."""


class Rank(IntEnum):
    """What comes before what, of one import."""

    CLAIMS = 0
    CONTACTS = 1
    MERGES = 2
    OVERTAKEN = 3
    SEEN = 4


class Key(NamedTuple):
    """By what a contact, a claim or a line is numbered: keys are in the order of the numbers."""

    counted: int
    file: int
    rank: int
    line: int
    call: int

    @classmethod
    def of_claim(cls, file: int, line: int, call: int) -> Self:
        """Return the key of a claim by where it was told."""
        return cls(Counted.PLACES, file, Rank.CLAIMS, line, call)

    @classmethod
    def of_contact(cls, file: int, line: int, call: int, which: int) -> Self:
        """Return the key of the contact that a claim made, the first or the second."""
        return cls(Counted.CONTACTS, file, Rank.CLAIMS, line, 2 * call + which)

    def packed(self) -> bytes:
        """Return the key as bytes, which are compared as the key is."""
        counted, file, rank, line, call = self
        return _PACKED.pack(counted, file + _FILE, rank, line + _LINE, call)


_PACKED = Struct(">BIBQI")
_FILE, _LINE = 1, 1 << 63
