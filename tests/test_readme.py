"""The README tells the truth: its session is replayed, its settings and files exist."""

import dataclasses
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Command, Context, Group

from identity import ROOT
from identity.cli import exits
from identity.config import Config
from tests.clean import follow, installed
from tests.conftest import app_on
from tests.serving import free_port, serving, started

README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
OUTGROWING = (ROOT / "docs" / "outgrowing-one-machine.md").read_text()
GUIDES = ["README.md", "CHANGELOG.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]


def session() -> list[tuple[str, str]]:
    """Return each command of the console sessions with the output printed below it."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    steps = [
        step.split("\n", 1) for block in blocks for step in block.removeprefix("$ ").split("\n$ ")
    ]
    return [(command, output.strip()) for command, output in steps]


def undated(output: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d", "A DAY", output.strip())


@pytest.mark.slow
def test_the_sessions_answer_as_printed(database_url: str, tmp_path: Path) -> None:
    commands = Path(sys.executable).parent
    given = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "SECRET_KEY": "hello, McFly"}
    assert len(session()) > 6
    with serving(database_url, tmp_path) as server:
        for command, output in session():
            here = command.replace("localhost:8000", server.url.removeprefix("http://"))
            here = here.replace(".venv/bin/", f"{commands}/")
            done = subprocess.run(
                shlex.split(here), cwd=ROOT, env=given, capture_output=True, text=True, check=True
            )
            assert undated(done.stdout) == undated(output), command


def test_every_setting_is_in_the_table_with_its_default() -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", OPERATIONS, re.MULTILINE))
    source = (ROOT / "identity" / "config.py").read_text()

    assert set(table) == set(re.findall(r'"([A-Z_]{4,})"', source))
    for name, field in {
        "PORT": "port",
        "WEB_CONCURRENCY": "workers",
        "WEB_THREADS": "threads",
    }.items():
        default = {f.name: f.default for f in dataclasses.fields(Config)}[field]
        assert table[name] == f"`{default}`"


def test_every_exit_code_is_in_the_table() -> None:
    table = OPERATIONS.split("## Exit codes")[1].split("\n## ")[0]
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}

    # 1 and 2 are click's own too.
    assert told == {0, *(code for code in vars(exits).values() if isinstance(code, int))}


def test_everything_is_where_it_is_said_to_be() -> None:
    where = README.split("## Where things are")[1]
    for path in re.findall(r"`([^`]*[./][^`]*)`", where):
        assert (ROOT / path).exists(), path


CLOSETS = {"__init__", "errors", "once", "remembering", "seeding"}
"""Rooms that nobody looks for: whoever needs one is led there by those who use it."""


def test_every_room_is_in_the_table() -> None:
    where = README.split("## Where things are")[1]
    package = ROOT / "identity"
    rooms = {f"identity/{path.parent.name}/" for path in package.glob("*/__init__.py")}
    rooms |= {f"identity/{path.name}" for path in package.glob("*.py") if path.stem not in CLOSETS}

    assert {room for room in rooms if f"`{room}`" not in where} == set()


def test_every_statement_that_is_named_is_there() -> None:
    table = OUTGROWING.split("| statement |")[1].split("\n\n")[0]
    named = re.findall(r"^\| `([a-z_.]+)\.([A-Z_]+)` \|", table, re.MULTILINE)

    assert len(named) > 3
    for module, statement in named:
        assert hasattr(importlib.import_module(f"identity.{module}"), statement)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_leads_somewhere(guide: str) -> None:
    text = (ROOT / guide).read_text()
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        name, _, anchor = link.partition("#")
        target = (ROOT / guide).parent / name if name else ROOT / guide
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


def anchors(text: str) -> set[str]:
    """Return what GitHub calls the headings of a page."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of ours, as far as it is spelt out."""
    for line in re.findall(r"flask ((?:identity|db) [^`\n#]*)", text):
        yield line.split()


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_is_there_with_its_options(guide: str) -> None:
    app = app_on("sqlite:///unused.sqlite3")
    for words in commands_in((ROOT / guide).read_text()):
        command: Command = app.cli
        asking = Context(command)
        for word in words:
            if isinstance(command, Group) and re.fullmatch(r"[a-z][a-z-]+", word):
                assert word in command.list_commands(asking), words
                command = command.get_command(asking, word) or command
        options = {option for each in command.params for option in each.opts}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= options, words


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
    assert "doc@hillvalley.edu" in (folder / "customers.copy").read_text()


@pytest.mark.slow
def test_a_copy_is_brought_back_as_the_guide_says(tmp_path: Path) -> None:
    folder = installed(tmp_path / "identity")
    section = OPERATIONS.split("## A copy of all evidence\n")[1]
    (commands, *_) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.sqlite3"
    follow(".venv/bin/flask db upgrade && .venv/bin/flask identity seed", folder)
    here = follow(".venv/bin/flask identity verify", folder)

    told = follow(commands, folder, NEW_DATABASE_URL=elsewhere)

    assert "no drift" in here
    assert told.splitlines()[-1] == here.strip()


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("name", ["script/serve", "script/test", "script/setup", "script/lock"])
def test_the_scripts_are_plain_sh(name: str) -> None:
    script = ROOT / name
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111
