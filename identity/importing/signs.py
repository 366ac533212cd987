"""Signs of life, which long work gives while it lasts: who is silent was killed, perhaps."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from identity import database
from identity.errors import IdentityError


@contextmanager
def of_life(seconds: float, tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` beside the block, each time after so many seconds, until the block ends."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(seconds):
            # Whoever cannot be told now is told the next time.
            with suppress(IdentityError):
                tell()

    thread = threading.Thread(target=database.elsewhere(go_on), name="telling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
