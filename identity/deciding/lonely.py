"""Which of many calls concern nobody else: no other row, nobody on record, and no ruling.

So do most rows of most files. Each is a customer by itself, whatever the others turn out to be, and
deciding so takes a fraction of the time.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from identity.deciding.customers import Customers
from identity.deciding.decided import Alone, Decided
from identity.deciding.given import Call, Known, Ruled
from identity.identifiers import Kind

AT_MOST = 2
"""Calls of a row, which share a value then: a customer with a secondary."""


def lonely(calls: Sequence[Call], known: Known, ruled: Ruled) -> list[bool]:
    """Tell of each call whether its row concerns nobody else."""
    lines = Counter([call[3] for call in calls])
    emails = Counter([email for email, _ in {(call[0], call[3]) for call in calls}])
    numbers = Counter([number for number, _ in {(call[1], call[3]) for call in calls}])
    # Absent is nobody's.
    emails[None] = numbers[None] = 1
    met = {value.text for value in (*known.holders, *ruled.nobody, *ruled.apart)}
    met.update(text for content in known.pairs for text in content if text)
    concerning = {line for line, count in lines.items() if count > AT_MOST}
    concerning.update(
        call[3]
        for call in calls
        if emails[call[0]] > 1 or numbers[call[1]] > 1 or call[0] in met or call[1] in met
    )
    return [call[3] not in concerning for call in calls]


class Founding:
    """Decides the calls whose rows concern nobody else, in the order of all calls."""

    def __init__(self, decided: Decided, customers: Customers, now: datetime) -> None:
        self._decided = decided
        self._customers = customers
        self._now = now
        self._line = -1

    def take(self, call: Call, claims: int) -> None:
        """Take a call, after so many claims of others."""
        email, phone_number, dated, line, reference, name = call
        decided, number = self._decided, self._customers.fresh()
        claim = decided.first_claim + claims + len(decided.alone)
        primary, brought = number, Kind.PHONE if email is None else Kind.EMAIL
        if line == self._line:
            # Its row has two of one kind; the other one is that of the contact before.
            first = decided.alone[-1]
            primary = first.primary
            brought = Kind.PHONE if email == first.email else Kind.EMAIL
        self._line = line
        moment = dated or self._now
        decided.alone.append(Alone(number, claim, email, phone_number, moment, primary, brought))
        if email and phone_number:
            decided.links += 1
        decided.news.add(line)
        decided.told.add(line)
        if reference or name:
            decided.references.append((claim, reference, name))
