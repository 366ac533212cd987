"""Which of many calls concern nobody else: no other row, nobody on record, and no ruling.

So do most rows of most files. Each is a customer by itself, whatever the others turn out to be, and
deciding so takes a fraction of the time.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from identity.deciding.given import Call, Known, Ruled

AT_MOST = 2
"""Calls of a row, which share a value then: a customer with a secondary."""


def lonely(calls: Sequence[Call], known: Known, ruled: Ruled) -> list[bool]:
    """Tell of each call whether its row concerns nobody else."""
    lines = Counter([call[3] for call in calls])
    emails = Counter([email for email, _ in {(call[0], call[3]) for call in calls}])
    numbers = Counter([number for number, _ in {(call[1], call[3]) for call in calls}])
    # Absent is nobody's.
    emails[None] = numbers[None] = 1
    met = {value.text for value in chain(known.holders, ruled.nobody, ruled.apart)}
    met.update(text for content in known.pairs for text in content if text)
    concerning = {line for line, count in lines.items() if count > AT_MOST}
    concerning.update(
        call[3]
        for call in calls
        if emails[call[0]] > 1 or numbers[call[1]] > 1 or call[0] in met or call[1] in met
    )
    return [call[3] not in concerning for call in calls]
