"""The README tells the truth: its session is replayed, its settings and files exist."""

import dataclasses
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click import Command, Group

from identity import ROOT
from identity.config import Config
from tests.clean import follow, installed
from tests.conftest import app_on
from tests.serving import free_port, serving, started

README = (ROOT / "README.md").read_text()
GUIDES = ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


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


def test_everything_is_where_it_is_said_to_be() -> None:
    where = README.split("## Where things are")[1]
    for path in re.findall(r"`([^`]*[./][^`]*)`", where):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_leads_somewhere_and_every_command_is_there(guide: str) -> None:
    text = (ROOT / guide).read_text()
    app = app_on("sqlite:///unused.sqlite3")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert ((ROOT / guide).parent / link).exists(), link
    for words in re.findall(r"flask ((?:identity|db)(?: [a-z]+)+)", text):
        command: Command | None = app.cli
        for word in words.split():
            if isinstance(command, Group):
                command = command.commands.get(word)
                assert command is not None, words


@pytest.mark.slow
def test_one_command_serves(tmp_path: Path) -> None:
    (command,) = re.findall(r"^(script/serve) ", README, re.MULTILINE)
    folder, port, log = installed(tmp_path / "identity"), free_port(), tmp_path / "log"
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    with started([command], folder, log, port, environment) as server:
        assert server.ask("GET", "/ready")[0] == 200
        assert server.identify("doc@hillvalley.edu", "5554385")[0] == 200

    assert (folder / "instance" / "identity.sqlite3").exists()


@pytest.mark.slow
def test_customers_are_brought_as_printed(tmp_path: Path) -> None:
    folder = installed(tmp_path / "identity")
    (folder / "customers.csv").write_text("email,phone\ndoc@hillvalley.edu,5554385\n")
    (commands,) = re.findall(r"```sh\n(\.venv.*?)```", README, re.DOTALL)
    follow(".venv/bin/flask db upgrade", folder)

    told = follow(commands, folder)

    assert told.count("1  new customers") == 2
    assert "doc@hillvalley.edu" in (folder / "customers-unified.csv").read_text()


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("name", ["script/serve", "script/test", "script/setup", "script/lock"])
def test_the_scripts_are_plain_sh(name: str) -> None:
    script = ROOT / name
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111
