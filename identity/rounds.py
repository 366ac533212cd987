"""Duties, each done now and then in a thread of its own: none holds up another, or a delivery."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from identity import database
from identity.config import Config
from identity.duties import Duty

FIRST = 1.0
"""Seconds before anything is done."""


def begin(
    duties: Sequence[Duty],
    config: Config,
    stopping: threading.Event,
    trouble: Callable[[str, Exception], None],
) -> list[threading.Thread]:
    """Do each duty now and then, until told to stop; `trouble` hears of what failed."""

    def run(duty: Duty) -> None:
        pause = FIRST
        while not stopping.wait(pause):
            do(duty, config, trouble)
            pause = duty.every

    # A sweep may take minutes, and whoever follows the feed waits for seconds at most.
    threads = [
        threading.Thread(target=database.elsewhere(partial(run, duty)), name=duty.name, daemon=True)
        for duty in duties
    ]
    for thread in threads:
        thread.start()
    return threads


def end(threads: Sequence[threading.Thread], seconds: float) -> None:
    """Leave duties that are under way so many seconds, all together, to come to an end."""
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, until - time.monotonic()))


def do(duty: Duty, config: Config, trouble: Callable[[str, Exception], None]) -> None:
    """Do a duty; whatever goes wrong with one, the others are done all the same."""
    try:
        with database.unhurried():
            duty.do(config)
    except Exception as error:
        trouble(duty.name, error)
