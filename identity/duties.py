"""What is to be done again and again, by the process that delivers: one list.

Whoever has something to be done now and then adds a line here. There may be several such
processes, and one may be killed in the middle: a duty does no harm when it is done twice, twice
at the same time, or half.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from identity import feed, retaining
from identity.config import Config
from identity.erasing import clearing
from identity.webhooks import claiming


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is done every so many seconds."""

    name: str
    """As the log calls it when it fails."""
    every: float
    do: Callable[[Config], object]


MINUTE, HOUR = 60.0, 3600.0
DUTIES = (
    # Where there are webhooks, it is done every second as well.
    Duty("publishing the feed", MINUTE / 2, lambda _: feed.publish()),
    Duty("removing what is kept no longer", HOUR, lambda config: deque(retaining.sweep(config))),
    Duty("mending the clock", HOUR, lambda _: claiming.mend_clock()),
    Duty("giving back the space of what was erased", MINUTE, lambda _: clearing.clear()),
)
