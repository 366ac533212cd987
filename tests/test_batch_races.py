"""Batches beside batches and single calls, with real processes; killed half-way, and sent again."""

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import urllib3
from flask import Flask

from identity.models import Contact
from identity.verification import verify
from tests.oracle import Call, assert_as_if_one_by_one
from tests.serving import Server, serving
from tests.tables import count


def call_of(chance: random.Random) -> Call:
    email, phone = f"{chance.randrange(60)}@storm.example", f"55{chance.randrange(60)}"
    return chance.choice(((email, phone), (email, phone), (email, None), (None, phone)))


def send(server: Server, calls: list[Call]) -> int:
    """Send calls as a batch, and those again that were told to come back; return how many were."""
    again = 0
    while calls:
        body = {"calls": [{"email": email, "phoneNumber": phone} for email, phone in calls]}
        status, told, _ = server.ask("POST", "/identify/batch", body)
        if status == 200:
            statuses = [each["status"] for each in told["answers"]]
            assert set(statuses) <= {200, 503}
            calls = [call for call, each in zip(calls, statuses, strict=True) if each == 503]
        else:
            assert status == 503
        again += len(calls)
    return again


def send_singly(server: Server, calls: list[Call]) -> int:
    for call in calls:
        status = 0
        while status != 200:
            status, _, _ = server.ask("POST", "/identify", dict(zip(NAMES, call, strict=True)))
            assert status in (200, 503)
    return len(calls)


NAMES = "email", "phoneNumber"


@pytest.mark.slow
def test_batches_and_single_calls_about_the_same_customers(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(1985)
    batches = [[call_of(chance) for _ in range(100)] for _ in range(4)]
    hands = [[call_of(chance) for _ in range(15)] for _ in range(2)]
    new: list[Call] = [(f"{n}@new.example", f"77{n}") for n in range(1000)]
    with serving(database_url, tmp_path) as server:
        with ThreadPoolExecutor(8) as callers:
            sent = [callers.submit(send, server, batch) for batch in batches]
            called = [callers.submit(send_singly, server, hand) for hand in hands]
            assert [each.result(timeout=60) for each in called] == [15, 15]
            again = sum(each.result(timeout=60) for each in sent)
        told = [call for calls in (*batches, *hands) for call in calls]
        assert_as_if_one_by_one(told)
        assert again < 400, "few have to come back"
        known = count(Contact)

        with ThreadPoolExecutor(1) as caller:
            broken_off = caller.submit(send_once, server, new)
            deadline = time.monotonic() + 20
            while count(Contact) == known and time.monotonic() < deadline:
                time.sleep(0.001)
            for worker in server.workers():
                os.kill(worker, signal.SIGKILL)
            broken_off.result(timeout=60)
        half = count(Contact)
        assert half > known
        assert verify().problems == []

        deadline = time.monotonic() + 20
        while not send_once(server, new) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert_as_if_one_by_one(told + new)


def send_once(server: Server, calls: list[Call]) -> bool:
    """Send a batch, and tell whether it was answered."""
    with suppress(urllib3.exceptions.HTTPError):
        send(server, calls)
        return True
    return False
