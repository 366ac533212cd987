"""Duties, done one after the other in a thread of their own: none holds up a delivery."""

import threading
import time
from collections.abc import Callable, Sequence

from identity import database
from identity.config import Config
from identity.duties import Duty

LONGEST = 1.0
"""Seconds between two looks at what is to be done."""


def begin(
    duties: Sequence[Duty],
    config: Config,
    stopping: threading.Event,
    trouble: Callable[[str, Exception], None],
) -> threading.Thread:
    """Do each duty now and then, until told to stop; `trouble` hears of what failed."""

    def run() -> None:
        again = dict.fromkeys(duties, 0.0)
        while not stopping.wait(LONGEST):
            for duty, at in again.items():
                if time.monotonic() >= at and not stopping.is_set():
                    do(duty, config, trouble)
                    again[duty] = time.monotonic() + duty.every

    thread = threading.Thread(target=database.elsewhere(run), name="duties", daemon=True)
    thread.start()
    return thread


def do(duty: Duty, config: Config, trouble: Callable[[str, Exception], None]) -> None:
    """Do a duty; whatever goes wrong with one, the others are done all the same."""
    try:
        with database.unhurried():
            duty.do(config)
    except Exception as error:
        trouble(duty.name, error)
