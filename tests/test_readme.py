"""The README tells the truth: its session is replayed, its settings and rooms exist."""

import dataclasses
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from identity import ROOT
from identity.config import Config
from tests.serving import serving

README = (ROOT / "README.md").read_text()


def session() -> list[tuple[str, str]]:
    """Return each command of the console session with the output printed below it."""
    (block,) = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    steps = [step.split("\n", 1) for step in block.removeprefix("$ ").split("\n$ ")]
    return [(command, output.strip()) for command, output in steps]


@pytest.mark.slow
def test_the_session_answers_as_printed(database_url: str, tmp_path: Path) -> None:
    assert len(session()) > 4
    with serving(database_url, tmp_path) as server:
        for command, output in session():
            here = command.replace("localhost:8000", server.url.removeprefix("http://"))
            done = subprocess.run(shlex.split(here), capture_output=True, text=True, check=True)
            assert done.stdout.strip() == output, command


def test_every_setting_is_in_the_table_with_its_default() -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", README, re.MULTILINE))
    source = (ROOT / "identity" / "config.py").read_text()

    assert set(table) == set(re.findall(r'"([A-Z_]{4,})"', source))
    for name, field in {
        "PORT": "port",
        "WEB_CONCURRENCY": "workers",
        "WEB_THREADS": "threads",
    }.items():
        default = {f.name: f.default for f in dataclasses.fields(Config)}[field]
        assert table[name] == f"`{default}`"


def test_every_room_in_the_house_exists() -> None:
    house = README.split("## The house")[1]
    for path in re.findall(
        r"`((?:identity|templates|static|migrations|tests|benchmarks|script)[^`]*)`", house
    ):
        assert (ROOT / path).exists(), path


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("name", ["script/serve", "script/test", "script/setup", "script/lock"])
def test_the_scripts_are_plain_sh(name: str) -> None:
    script = ROOT / name
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111
