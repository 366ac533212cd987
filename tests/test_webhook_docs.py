"""The guide to webhooks tells the truth: its receiver takes what is sent, its example is one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from identity import ROOT, database, feed
from identity.auditing import Deed
from identity.webhooks import listing, register, schedule, standing
from identity.webhooks.addresses import Rules
from identity.webhooks.delivering import Deliverer
from tests.conftest import Make, See
from tests.receiving import receiving
from tests.serving import eventually, free_port
from tests.terminal import run

GUIDE = (ROOT / "docs" / "webhooks.md").read_text()
KEY, HERE = "hello, McFly", Rules(insecure=True)


def block(language: str) -> str:
    return str(re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[0])


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.mark.slow
def test_the_receiver_of_the_guide_takes_what_is_sent(app: Flask, see: See, tmp_path: Path) -> None:
    port = free_port()
    _, secret = register.add(f"http://127.0.0.1:{port}/", (), HERE, KEY)
    given = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "PORT": str(port)}
    said, script = tmp_path / "said", tmp_path / "receiver.py"
    script.write_text(block("python"))
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(script)], env=given, stdout=output, stderr=subprocess.DEVNULL
        )
    try:
        one, other = see("doc@hillvalley.edu"), see(None, "5554385")
        see("doc@hillvalley.edu", "5554385")
        see("doc@hillvalley.edu", "5551955")

        def delivered() -> bool:
            for sent, _ in [database.read(lambda c: listing.page(c, 1, None, None))]:
                for each in sent:
                    if each.next_at:
                        listing.send_again(each.id)
            Deliverer(KEY, HERE).once()
            return said.read_text().count("\n") >= 4

        eventually(delivered, 30)
    finally:
        process.kill()
        process.wait()
    first, second = one.primary_id, other.primary_id
    assert said.read_text().splitlines()[2:] == [
        f"customer.merged [{first}]",
        f"customer.grown [{first}]",
    ]
    assert second != first


def test_the_example_is_what_is_sent(app: Flask, see: See) -> None:
    example = json.loads(block("json"))
    register.add("https://shop.example/changes", (), Rules(), KEY)
    see("doc@hillvalley.edu")
    see(None, "5554385")
    see("doc@hillvalley.edu", "5554385")
    Deliverer(KEY, Rules())._publish()

    sent, _ = database.read(lambda c: listing.page(c, 1, None, None))
    body = json.loads(sent[0].body)

    assert body["type"] == example["type"]
    assert list(body) == list(example)
    assert list(body["data"]) == list(example["data"])
    assert list(body["data"]["moved"][0]) == list(example["data"]["moved"][0])
    (*_, told) = database.read(lambda c: feed.after(c, 0, 100))
    assert body["data"] == told.as_json()


def test_the_kinds_and_the_schedule_are_those_of_the_guide() -> None:
    for kind in register.KINDS:
        assert f"`customer.{kind}`" in GUIDE
    assert len(schedule.AGAIN) == 9
    assert "5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in GUIDE
    assert f"There may be {register.MOST} webhooks" in GUIDE


def test_each_command_of_the_guide_does_what_it_says(
    make: Make,
) -> None:
    app = make(WEBHOOKS_INSECURE="1")
    commands = re.findall(r"^\.venv/bin/flask identity (webhook [^#\n]*)", GUIDE, re.MULTILINE)
    assert len(commands) == 10
    with receiving() as receiver, app.app_context():
        for command in commands:
            here = re.sub(r"https://\S+", receiver.address, command)
            done = run(app, *here.split())
            assert done.exit_code == 0, (command, done.output)
            if command.startswith("webhook test"):
                for _ in range(7):
                    listing.send_test(1)
        assert [hook.id for hook in database.read(standing.listed)] == [2]

    assert {deed for deed in Deed if deed.startswith("webhook_")} == {
        *(Deed.WEBHOOK_ADDED, Deed.WEBHOOK_ROTATED, Deed.WEBHOOK_ENABLED),
        *(Deed.WEBHOOK_DISABLED, Deed.WEBHOOK_REMOVED, Deed.WEBHOOK_TESTED),
    }
