"""What an import remembers of the values it has brought, so that it asks about no others.

In most files most values are new to everybody, and to ask about each before it is written takes as
long as writing it. So they are supposed to be new, until one is not: the key of `identifier` tells,
nothing is written then, and from then on all are asked about again.
"""

from collections.abc import Iterable, Sequence

from identity.batching.looking import Look
from identity.deciding import Call
from identity.identifiers import Value

SLOTS = 8
"""Places a call, so that few values have to share one. Those that do are asked about in vain."""
WARY = 10
"""Times that all are asked about after a hope was disappointed: what it cost is written twice."""
SMALLEST, LARGEST = 2**12, 2**26


class Recall:
    """Remembers which values may be on record, in memory of a fixed size."""

    def __init__(self, calls: int) -> None:
        """Expect that many calls."""
        size = SMALLEST
        while size < min(calls * SLOTS, LARGEST):
            size *= 2
        self._mask = size - 1
        self._met = bytearray(size)
        self._hopes = False
        self._wary = 0

    def to_ask(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Return the calls about which the database is to be asked, without what is new of them.

        What is not asked about is not found either, by way of another call that has it too: of a
        value that is known all calls must be.
        """
        if not self._hopes:
            return calls
        met, mask = self._met, self._mask
        asked = []
        for call in calls:
            email, phone_number = call[:2]
            here = email is not None and met[hash(email) & mask]
            there = phone_number is not None and met[hash(phone_number) & mask]
            if here and there:
                asked.append(call)
            elif here:
                asked.append(call._replace(phone_number=None))
            elif there:
                asked.append(call._replace(email=None))
        return asked

    def heard(self, found: Look) -> None:
        """Hear what was found when the database was asked about all."""
        met, mask = self._met, self._mask
        on_record = [*found.known.holders, *found.ruled.nobody]
        # What is on record only because we brought it says nothing of the others.
        self._wary = max(0, self._wary - 1)
        self._hopes = not self._wary and all(met[hash(each.text) & mask] for each in on_record)
        self.known(on_record)

    def disappointed(self) -> None:
        """Hear that somebody else was first, perhaps with a value that was supposed to be new."""
        self._hopes, self._wary = False, WARY

    def known(self, values: Iterable[Value]) -> None:
        """Hear of values that are on record."""
        met, mask = self._met, self._mask
        for value in values:
            met[hash(value.text) & mask] = 1

    def told(self, calls: Sequence[Call]) -> None:
        """Hear what is on record from now on."""
        met, mask = self._met, self._mask
        for call in calls:
            if call[0]:
                met[hash(call[0]) & mask] = 1
            if call[1]:
                met[hash(call[1]) & mask] = 1
