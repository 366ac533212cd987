"""What is left of calls when what was erased is taken out of them, as if it had not been given."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from identity import forgetting
from identity.deciding import Call
from identity.identifiers import Kind, Value


class Sifted(NamedTuple):
    """Calls, without what was erased."""

    calls: list[Call]
    lines: dict[int, list[Call]]
    """Of each line that brought what was erased: what is left of it."""
    times: Counter[Value]
    """How often each was brought."""


def sift(calls: Sequence[Call], erased: Collection[Value]) -> Sifted:
    """Take what was erased out of calls; those of one line come one after another."""
    sifted = Sifted([], {}, Counter())
    for line, group in groupby(calls, attrgetter("line")):
        row = list(group)
        met = {value for call in row for value in call.values() if value in erased}
        if met:
            sifted.times.update(met)
            row = list(left_of(row, met))
            sifted.lines[line] = row
        elif said := {value for value in told_in(row) if value in erased}:
            sifted.times.update(said)
            sifted.lines[line] = row = without_texts(row, said)
        sifted.calls.extend(row)
    return sifted


def told_in(row: Sequence[Call]) -> Iterator[Value]:
    """Yield what looks like an identifier in the references and names of calls."""
    return forgetting.told_in(dict.fromkeys(text for call in row for text in call[-2:]))


def without_texts(row: Sequence[Call], erased: Collection[Value]) -> list[Call]:
    """Return calls without the references and names in which something stands that was erased."""

    def is_to_go(text: str) -> bool:
        return forgetting.stand_in([text], erased.__contains__)

    return [call.without_texts(is_to_go) for call in row]


def left_of(row: Sequence[Call], erased: Collection[Value]) -> Iterator[Call]:
    """Yield what is left of the calls of one row, without its reference and its name.

    Each email is told with each phone number. Nothing links two of one kind without the other, and
    then the first is told alone.
    """
    told = dict.fromkeys(value for call in row for value in call.values())
    left = [value for value in told if value not in erased]
    emails = [value.text for value in left if value.kind is Kind.EMAIL]
    numbers = [value.text for value in left if value.kind is Kind.PHONE]
    if not (emails and numbers):
        emails, numbers = emails[:1], numbers[:1]
    for email in emails or (None,):
        for number in numbers or (None,):
            if left:
                yield row[0]._replace(email=email, phone_number=number, reference="", name="")
