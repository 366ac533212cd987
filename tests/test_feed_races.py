"""The feed under load: ten writers, and a reader that is killed again and again."""

import json
import os
import random
import signal
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from identity import database, feed
from identity.identifiers import Identifiers
from identity.reconciliation import identify
from tests.conftest import app_on, close
from tests.feeding import Copy, changes, customers
from tests.processes import FORKING
from tests.serving import Server, eventually, serving

pytestmark = pytest.mark.slow
WRITERS, CALLS, KILLED = 10, 30, 4


def write(url: str, seed: int) -> None:
    """Tell of customers who share much, so that they grow and merge."""
    chance = random.Random(seed)
    with app_on(url).app_context():
        for _ in range(CALLS):
            email, phone = f"{chance.randrange(60)}@town.example", f"555{chance.randrange(60):04}"
            identify(Identifiers.parse(email, phone), source=f"writer {seed}")


def follow(url: str, file: Path, done: Event) -> None:
    """Read on from where the file ends, and write each change into it, a line at a time."""
    file.touch()
    app = app_on(url)
    with app.app_context(), file.open("a") as written:
        lines = file.read_text().splitlines()
        number = json.loads(lines[-1])["number"] if lines else 0
        while True:
            is_last = done.is_set()
            published = feed.publish()
            with database.reading() as connection:
                found = feed.after(connection, number, 7)
            for change in found:
                written.write(json.dumps(change.as_json()) + "\n")
                written.flush()
                number = change.number
            if is_last and not (published or found):
                break
    close(app)


def test_each_change_comes_once_and_in_order_whoever_is_killed(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    done, file = FORKING.Event(), tmp_path / "changes"
    writers = [FORKING.Process(target=write, args=(database_url, n)) for n in range(WRITERS)]
    for each in writers:
        each.start()
    for _ in range(KILLED):
        reader = FORKING.Process(target=follow, args=(database_url, file, done))
        reader.start()
        eventually(partial(is_further, file, lines(file), writers), 60)
        os.kill(reader.pid or 0, signal.SIGKILL)
        reader.join()
    for each in writers:
        each.join()
    done.set()
    follow(database_url, file, done)

    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert [each["number"] for each in told] == list(range(1, len(told) + 1))
    copy = Copy()
    copy.follow()
    assert copy.number == len(told)
    assert copy.customers == customers()
    assert all(each.exitcode == 0 for each in writers)
    kinds = Counter(each["kind"] for each in told)
    assert min(kinds["customer.created"], kinds["customer.merged"]) > 0


def lines(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0


def is_further(file: Path, before: int, writers: list[Any]) -> bool:
    return lines(file) > before or not any(each.is_alive() for each in writers)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_readers_who_wait_hold_up_nobody_and_hear_at_once(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    with (
        serving(database_url, tmp_path, WEB_CONCURRENCY=1, WEB_THREADS=2) as server,
        ThreadPoolExecutor(20) as readers,
    ):
        server.identify("mcfly@hillvalley.edu")
        asked = f"/changes?after={changes()[-1].number}&wait=25"
        waiting = [readers.submit(server.ask, "GET", asked) for _ in range(20)]
        hang_up(server, asked)
        time.sleep(0.5)

        assert server.ask("GET", "/clusters/1.json")[0] == 200
        begun = time.monotonic()
        server.identify("lorraine@hillvalley.edu")
        told = [each.result() for each in waiting]

    assert time.monotonic() - begun < 15
    assert [len(page["changes"]) for _, page, _ in told] == [1] * 20


def hang_up(server: Server, asked: str) -> None:
    """Ask and go away."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
        client.sendall(f"GET {asked} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
