"""What a process of a command loads: what it needs, and nothing of what others do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from identity import ROOT
from identity.cli import PLACES
from tests.conftest import ERASURE_KEY

WEB = {"alembic", "flask_cors", "flask_migrate", "flask_wtf", "prometheus_client", "wtforms"}
LIBRARIES = {"cryptography", "limits", "networkx", "pydantic", "sentry_sdk", "urllib3", "zxcvbn"}
OTHERS = {"identity.copying.reading", "identity.explaining", "identity.reviewing.sweeping"}
VIEWS = {"identity.web.answering", "identity.web.api", "identity.web.pages", "identity.web.domain"}


def flask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{folder / 'identity.sqlite3'}",
        "SECRET_KEY": "hello, McFly",
        "ERASURE_KEY": ERASURE_KEY,
    }
    # It tells of every module as it is loaded.
    command = [sys.executable, "-X", "importtime", "-m", "flask", "--app", "wsgi", *arguments]
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True)


def loaded(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE))


@pytest.mark.slow
def test_an_import_loads_nothing_that_answers(tmp_path: Path, migrated_sqlite: Path) -> None:
    (tmp_path / "identity.sqlite3").write_bytes(migrated_sqlite.read_bytes())
    file = tmp_path / "customers.csv"
    file.write_text("email,phone\ndoc@hillvalley.edu,+1 202 555 0143\nmarty@hillvalley.edu,\n")

    done = flask(tmp_path, "identity", "import", str(file))

    assert "2  new customers" in done.stdout
    assert loaded(done).isdisjoint(WEB | LIBRARIES | VIEWS | OTHERS)


@pytest.mark.slow
def test_the_views_are_there_for_whoever_answers(app: Flask, tmp_path: Path) -> None:
    done = flask(tmp_path, "routes")

    assert {rule.endpoint for rule in app.url_map.iter_rules()} <= set(done.stdout.split())


@pytest.mark.slow
def test_all_commands_are_found(tmp_path: Path) -> None:
    assert {"db", "identity"} <= set(flask(tmp_path, "--help").stdout.split())
    assert set(PLACES) <= set(flask(tmp_path, "identity", "--help").stdout.split())
