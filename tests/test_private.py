"""What is kept in files is for the owner of the service only."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from identity import ROOT, private
from tests.conftest import app_on


def modes(folder: Path) -> dict[str, int]:
    """The files below a folder, the folder itself included, with what may be done with them."""
    return {
        str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
    }


def test_what_others_could_read_is_theirs_no_more_when_the_service_starts(tmp_path: Path) -> None:
    database = tmp_path / "identity.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE customer (email TEXT)")
        for suffix in private.BESIDE[:3]:
            database.with_name(database.name + suffix).chmod(0o644)

        app_on(f"sqlite:///{database}")

        found = modes(tmp_path)
    names = {f"{tmp_path.name}/{database.name}{suffix}" for suffix in private.BESIDE[:3]}
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0o600)


def test_the_folder_of_the_service_is_closed_and_others_are_left_alone(tmp_path: Path) -> None:
    instance, elsewhere = tmp_path / "instance", tmp_path / "elsewhere"
    for folder in instance, elsewhere:
        folder.mkdir(mode=0o755)
        (folder / "identity.sqlite3").touch(mode=0o644)

    private.guard(instance, "sqlite:///identity.sqlite3")
    private.guard(instance, f"sqlite:///{elsewhere}/identity.sqlite3")
    private.guard(instance, "postgresql+psycopg://marty@db.example/identity")

    assert modes(instance) == {"instance": 0o700, "instance/identity.sqlite3": 0o600}
    assert modes(elsewhere) == {"elsewhere": 0o755, "elsewhere/identity.sqlite3": 0o600}


@pytest.mark.slow
def test_what_commands_write_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("email\ndoc@hillvalley.edu\nno email\n")
    (tmp_path / "customers.csv").chmod(0o600)
    tmp_path.chmod(0o700)
    given = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{tmp_path}/identity.sqlite3"}
    steps = """
        flask db upgrade
        flask identity import {}/customers.csv || [ $? = 1 ]
        flask identity export {}/customers-unified.csv
        flask identity export {}/customers.copy --evidence
    """.replace("flask", f"{sys.executable} -m flask --app wsgi").replace("{}", str(tmp_path))

    subprocess.run(
        ["sh", "-ec", f"umask 022\n{steps}"],
        cwd=ROOT, env=given | {"SECRET_KEY": "hello, McFly"}, check=True, capture_output=True,
    )  # fmt: skip

    found = modes(tmp_path)
    assert {Path(name).name for name in found} >= {
        *("identity.sqlite3", "customers.rejects.csv", "customers-unified.csv", "customers.copy")
    }
    assert [name for name, mode in found.items() if mode & private.OTHERS] == []
