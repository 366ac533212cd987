"""Calls that join no two customers on record, and no ruling concerns: what they bring.

Most rows of most files are such: of somebody new, or of one customer who is known. Which of them
are one customer's follows from which values are the same, whatever their order, so it is found in
columns of numbers, in a fraction of the time. `decide` comes to the same for each of them; a
property test holds that.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from identity.deciding.outline import ABSENT, CLAIM, PAIR, Brought, OnRecord, Outline

Places = NDArray[np.int32]
"""Half of what the hashes take; a file has fewer than 2**31 values."""
Flags = NDArray[np.bool_]
MIXED = np.int64(0x9E3779B97F4A7C1), np.int64(0x2545F4914F6CDD1D)
"""By which numbers are multiplied before they are added, so that few sums are the same."""


class _Known(NamedTuple):
    """The customers on record whom the file tells of, by the places of the values."""

    values: Flags
    """Of each value whether it is one of theirs."""
    one: Places
    other: Places
    """Values that are one customer's, two by two."""
    heads: Places
    """Of each customer one value, which stands for it."""
    ages: NDArray[np.int64]


class Newcomers:
    """The calls of a file, which of their values are the same, and what follows from that."""

    def __init__(self, outline: Outline) -> None:
        """Give each value a number, in place of its hash."""
        self._lines, self._names, self._dates, emails, numbers = (
            np.frombuffer(each, np.int64)
            for each in (
                *(outline.lines, outline.names, outline.dates),
                *(outline.emails, outline.numbers),
            )
        )
        # An email is never a phone number, so both are numbered at once.
        self._hashes, first, places = np.unique(
            np.concatenate((emails, numbers)), return_index=True, return_inverse=True
        )
        count = len(self._lines)
        places = places.astype(np.int32)
        self._email, self._number = places[:count], places[count:]
        self._absent = self._hashes == ABSENT
        self._first = (first % max(count, 1)).astype(np.int32)
        """Of each value the first call that gives it."""

    def asked(self, record: OnRecord) -> bytes:
        """Tell of which calls it has to be known whether somebody has told them already.

        There is a byte for each call, 1 or 0.
        """
        concerned, _, known = self._divide(record)
        here = known.values | self._absent
        asked: bytes = (~concerned & here[self._email] & here[self._number]).tobytes()
        return asked

    def concerned(self, record: OnRecord) -> tuple[bytes, Brought]:
        """Tell of each call whether it has to be decided; count what the others bring.

        A call has to be where its customer would be several on record, or is ruled about, or may
        have another primary. There is a byte for each call, 1 or 0.
        """
        concerned, roots, known = self._divide(record)
        return concerned.tobytes(), self._brought(~concerned, roots, known, record.told)

    def _divide(self, record: OnRecord) -> tuple[Flags, Places, _Known]:
        """Return which calls are to be decided, who is connected with whom, and who is known."""
        known = self._known(record)
        roots = self._roots(self._are(record.nobody), known)
        concerning = np.zeros_like(self._absent)
        concerning[np.bincount(roots[known.heads], minlength=len(roots)) > 1] = True
        ruled = self._give(self._are(record.ruled))
        for places in (self._email, self._number):
            concerning[roots[places[ruled]]] = True
        ages = np.full(len(roots), np.iinfo(np.int64).min)
        ages[roots[known.heads]] = known.ages
        own = roots[np.where(self._absent[self._email], self._number, self._email)]
        # What is older than the primary, or as old, may come to stand in its place.
        concerning[own[self._dates <= ages[own]]] = True
        return self._give(concerning[roots]), roots, known

    def _known(self, record: OnRecord) -> _Known:
        values, holders, ages = (
            np.array(each, np.int64) for each in (record.values, record.holders, record.ages)
        )
        places = np.searchsorted(self._hashes, values).astype(np.int32)
        flags = np.zeros_like(self._absent)
        flags[places] = True
        _, first, customers = np.unique(holders, return_index=True, return_inverse=True)
        heads = places[first]
        return _Known(flags, places, heads[customers], heads, ages[first])

    def shared(self, few: int) -> set[int]:
        """Return the hashes of values that so many tell who differ in something, or seem to."""
        counts = np.bincount(self._email, minlength=len(self._hashes))
        counts += np.bincount(self._number, minlength=len(self._hashes))
        frequent = (counts >= few) & ~self._absent
        one, other = MIXED
        told = (self._email.astype(np.int64) * one + self._number) * other + self._names
        given = [
            (places[frequent[places]], told[frequent[places]])
            for places in (self._email, self._number)
        ]
        places, tellings = (np.concatenate(each) for each in zip(*given, strict=True))
        _, distinct = np.unique(tellings * one + places, return_index=True)
        often = np.bincount(places[distinct], minlength=len(self._hashes)) >= few
        return set(self._hashes[often].tolist())

    def of_rows_with(self, hashes: Collection[int]) -> bytes:
        """Tell of each call whether its row gives one of some values: a byte for each, 1 or 0."""
        lines = self._lines[self._give(self._are(hashes))]
        return np.isin(self._lines, lines).tobytes()

    def _are(self, hashes: Collection[int]) -> Flags:
        return np.isin(self._hashes, np.fromiter(hashes, np.int64, len(hashes)))

    def _give(self, values: Flags) -> Flags:
        values = values & ~self._absent
        flags: Flags = values[self._email] | values[self._number]
        return flags

    def _roots(self, nobody: Flags, known: _Known) -> Places:
        """Return of each value another, which stands for all that are connected with it."""
        roots = np.arange(len(self._hashes), dtype=np.int32)
        linking = ~(nobody | self._absent)
        pairs = linking[self._email] & linking[self._number]
        one = np.concatenate((self._email[pairs], known.one))
        other = np.concatenate((self._number[pairs], known.other))
        while len(one):
            here, there = roots[one], roots[other]
            np.minimum.at(roots, np.maximum(here, there), np.minimum(here, there))
            while not np.array_equal(further := roots[roots], roots):
                roots = further
            apart = roots[one] != roots[other]
            one, other = one[apart], other[apart]
        return roots

    def _brought(self, calls: Flags, roots: Places, known: _Known, told: bytes) -> Brought:
        """Count what some calls bring, with all that are connected with them."""
        (places,) = calls.nonzero()
        email, number = self._email[places], self._number[places]
        pairs = email.astype(np.int64) * len(self._hashes) + number
        has_email, has_number = ~self._absent[email], ~self._absent[number]
        before = np.frombuffer(told or bytes(len(calls)), np.uint8)[places]
        _, first_told = np.unique(pairs, return_index=True)
        is_pair = np.zeros_like(has_email)
        is_pair[first_told] = (has_email & has_number & (before & PAIR == 0))[first_told]
        makes = (self._first[email] == places) & has_email & ~known.values[email]
        makes |= (self._first[number] == places) & has_number & ~known.values[number]
        customers = np.zeros_like(self._absent)
        customers[roots[np.where(has_email, email, number)]] = True
        customers[roots[known.heads]] = False
        return Brought(
            news=len(np.unique(self._lines[places][makes | is_pair])),
            customers=int(customers.sum()),
            contacts=int(makes.sum()),
            links=int(is_pair.sum()),
            claims=int((before[first_told] & CLAIM == 0).sum()),
        )
