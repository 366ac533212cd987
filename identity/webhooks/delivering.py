"""The process that delivers: it takes what is due, sends it, and writes down what came of it.

One thread asks the database, others send. It may be killed at any moment, and there may be several
such processes: a message is left to whoever took it for as long as that shows signs of life, and
is sent again, under the same id, when it is not known what became of it.
"""

import queue
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from identity import database, feed
from identity.errors import IdentityError
from identity.webhooks import attempting, claiming, making, register, results, standing
from identity.webhooks.addresses import Rules
from identity.webhooks.claiming import Claimed
from identity.webhooks.results import Result
from identity.webhooks.sending import Outcome
from identity.webhooks.standing import Hook

T = TypeVar("T")
WIDEST = 8
"""Messages that are sent to one webhook at the same time, while it does well."""
TICK, GATHER = 1.0, 0.02
"""Seconds between two looks at what is new, and for which results are gathered."""
SIGN = 2.0
"""Seconds between two signs of life."""
PARTING = 2.0
"""Seconds that what is under way has to end, when the process is told to."""


@dataclass
class Deliverer:
    """Delivers, until it is told to stop."""

    key: str
    """The secret of the service, with which the webhooks' are sealed."""
    rules: Rules
    who: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(WIDEST * register.MOST, "delivery")
        self._done: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._under_way: dict[int, Claimed] = {}
        self._unwritten: list[Result] = []
        self._width: Counter[int] = Counter()
        """Of each webhook: how many steps it is narrower than the widest."""
        self._looked = self._shown = 0.0

    def run(self, trouble: Callable[[Exception], None]) -> None:
        """Deliver until told to stop; `trouble` is told what the database could not do."""
        try:
            # As part of a command, it would wait for a frozen database for ever, deaf to a stop.
            with database.hurried():
                self._deliver(trouble)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, trouble: Callable[[Exception], None]) -> None:
        while not self.stopping.is_set():
            try:
                self.step()
            except IdentityError as error:
                # What is under way goes on, and its results are written down later.
                trouble(error)
                self.stopping.wait(TICK)
        # What cannot be written down any more is sent again.
        with suppress(IdentityError):
            self._part()

    def once(self) -> None:
        """Deliver what is due now, and what that lets in; then return."""
        while self._publish():
            pass
        self._exchange()
        while self._under_way:
            self._gather(SIGN)
            self._exchange()

    def step(self) -> None:
        """Write down what came of tries, see what is new, and begin what is due."""
        self._gather(self._looked + TICK - time.monotonic())
        if time.monotonic() - self._looked >= TICK and not self._publish():
            self._looked = time.monotonic()
        self._exchange()

    def _gather(self, wait: float) -> None:
        """Take the results that are there; wait for the first, and a moment for others."""
        until = time.monotonic() + wait
        while True:
            try:
                result = self._done.get(timeout=max(0.001, until - time.monotonic()))
            except queue.Empty:
                return
            self._unwritten.append(result)
            self._learn(result)
            until = min(until, time.monotonic() + GATHER)

    def _learn(self, result: Result) -> None:
        """Send more at once to a receiver that does well, and less to one that does not."""
        webhook_id, steps = result.message.webhook_id, WIDEST.bit_length() - 1
        step = -1 if result.outcome.succeeded else 1
        if result.outcome.status is None and not result.outcome.succeeded:
            step = steps
        self._width[webhook_id] = min(steps, max(0, self._width[webhook_id] + step))

    def _publish(self) -> bool:
        """Make messages of what is new, and tell whether there is more."""
        hooks = [hook for hook in database.read(standing.listed) if hook.disabled_at is None]
        if not hooks:
            return False
        feed.publish()
        made = [self._decided(partial(_make, hook)) for hook in hooks]
        return max(made) >= making.AT_ONCE

    def _exchange(self) -> None:
        """Write down results, show signs of life, and begin what is due: one transaction."""
        noted = list(self._unwritten)
        ended = {each.message.id for each in noted}
        left = {id_: each for id_, each in self._under_way.items() if id_ not in ended}
        busy = Counter(each.webhook_id for each in left.values())
        shows = bool(left) and time.monotonic() - self._shown > SIGN
        due = database.read(claiming.due)
        if not noted and not shows and not any(self._room(each, busy) for each in due):
            return

        def write(connection: Connection) -> list[Claimed]:
            if noted:
                results.note(connection, noted, self.who)
            if shows:
                claiming.still(connection, left, self.who)
            return claiming.claim(connection, lambda each: self._room(each, busy), self.who)

        begun = self._decided(write)
        self._unwritten = self._unwritten[len(noted) :]
        self._under_way = left | {each.id: each for each in begun}
        if shows or not left:
            self._shown = time.monotonic()
        for each in begun:
            self._pool.submit(self._send, each)

    def _room(self, webhook_id: int, busy: Counter[int]) -> int:
        """Return how many messages of a webhook may be begun."""
        return max(0, (WIDEST >> self._width[webhook_id]) - busy[webhook_id])

    def _decided(self, write: Callable[[Connection], T]) -> T:
        def once() -> T:
            with database.transaction() as connection:
                return write(connection)

        return database.retrying(once)

    def _send(self, message: Claimed) -> None:
        at = datetime.now(UTC)
        try:
            outcome = attempting.attempt(message, at, self.key, self.rules)
        except Exception as error:
            # Whatever it was: a message that nobody ends would keep its place for ever.
            outcome = Outcome(0, problem=f"It could not be sent: {type(error).__name__}.")
        self._done.put(Result(message, at, outcome))

    def _part(self) -> None:
        """Write down what comes to an end in a moment. The rest is sent again."""
        until = time.monotonic() + PARTING
        while self._under_way and time.monotonic() < until:
            self._gather(GATHER)
            for result in self._unwritten:
                self._under_way.pop(result.message.id, None)
        if self._unwritten:
            self._decided(lambda connection: results.note(connection, self._unwritten, self.who))


def _make(hook: Hook, connection: Connection) -> int:
    return making.make(connection, hook)
