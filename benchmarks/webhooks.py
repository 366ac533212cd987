"""How long it takes to deliver ten thousand messages, while everybody who takes part is killed.

The receiver verifies each message with the public package, fails one in ten, and is killed twice;
so is the process that delivers. `python -m benchmarks.webhooks` prints what came of it.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import update

from identity import database, feed
from identity.database import db
from identity.identifiers import Identifiers
from identity.models import Message
from identity.reconciliation import identify
from identity.webhooks import register
from identity.webhooks.addresses import Rules
from tests import postgres
from tests.conftest import app_on, close, migrate
from tests.delivering import KEY, deliverer, free_port, receiver

MESSAGES, TIMES = 10_000, 10
"""Changes, and how many of them each customer has."""


def numbers() -> set[int]:
    """Return the numbers of all changes."""
    while feed.publish():
        pass
    return database.read(lambda c: {change.number for change in feed.after(c, 0, 10**6)})


def wait_over() -> None:
    """Let what waits for minutes, after its second failure, be tried as if they had gone by."""
    with db.engine.begin() as connection:
        late = update(Message).where(Message.tries > 1, Message.next_at.is_not(None))
        connection.execute(late.values(next_at=datetime.now(UTC)))


def measure(messages: int) -> str:
    """Deliver so many messages, and say how long that took."""
    with postgres.running() as server, TemporaryDirectory() as folder:
        migrate(server.url())
        app, port = app_on(server.url()), free_port()
        with app.app_context():
            url = f"http://127.0.0.1:{port}/changes"
            _, secret = register.add(url, (), Rules(insecure=True), KEY)
            for time_ in range(TIMES):
                for each in range(messages // TIMES):
                    given = Identifiers(f"{each}@hill.example", f"55{each:06}{time_:02}")
                    identify(given, source="bench")
            wanted = numbers()
            begun, kills = time.monotonic(), [messages * part // 6 for part in (1, 2, 3, 4)]
            with (
                receiver(Path(folder), secret, port, 10) as taking,
                deliverer(server.url(), Path(folder)) as sending,
            ):
                while len(taken := taking.numbers()) < len(wanted):
                    if kills and len(taken) > kills[0]:
                        (sending if len(kills) % 2 else taking).again()
                        kills.pop(0)
                    wait_over()
                    time.sleep(1)
                seconds = time.monotonic() - begun
            taking.check(wanted)
            came, failed = taking.came(), sum(each["failed"] for each in taking.came())
            close(app)
    return (
        f"{len(wanted):,} messages in {seconds:.0f} s ({len(wanted) / seconds:.0f} a second), "
        f"{len(came):,} requests, of which {failed:,} were failed; each at least once, none "
        "unsigned, in the order of each customer"
    )


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES))
