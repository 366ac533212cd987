"""A backup as docs/operations.md has it, taken while the service writes, and restored."""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from identity import ROOT
from tests.clean import follow, installed
from tests.postgres import binaries
from tests.serving import Server, serving

pytestmark = pytest.mark.slow

GUIDE = (ROOT / "docs" / "operations.md").read_text()


@dataclass
class Recipe:
    """The commands for one kind of database, and where to run them."""

    kind: str
    folder: Path
    before: str
    """The address of the database."""
    after: str
    """The address of the restored one."""

    def follow(self, step: int) -> str:
        """Run a step of the guide: back up, then restore."""
        section = GUIDE.split(f"### {self.kind}\n")[1].split("\n## ")[0].split("\n### ")[0]
        commands = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[step]
        return follow(
            commands,
            self.folder,
            PATH=f"{binaries()}:{os.environ['PATH']}",
            DATABASE_URL=self.before,
            NEW_DATABASE_URL=self.after,
            BACKUP=next((path.name for path in self.folder.glob("*.backup")), ""),
        )


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def recipe(request: pytest.FixtureRequest, tmp_path: Path) -> Recipe:
    folder = installed(tmp_path / "identity")
    if request.param == "SQLite":
        (folder / "instance").mkdir()
        file = folder / "instance" / "identity.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        url = f"sqlite:///{file}"
        return Recipe("SQLite", folder, url, url)
    before, after = map(request.getfixturevalue, ("migrated_database", "empty_database"))
    return Recipe("PostgreSQL", folder, before, after)


def customer(server: Server, n: int) -> dict[str, object]:
    status, answer, _ = server.identify(f"{n}@hillvalley.edu", str(1000 + n // 3))
    assert status == 200
    contact: dict[str, object] = answer["contact"]
    return contact


def test_a_backup_taken_while_calls_go_on_is_restored_whole(recipe: Recipe, tmp_path: Path) -> None:
    numbers = count(60)
    with serving(recipe.before, tmp_path) as server, ThreadPoolExecutor(1) as caller:
        earlier = [customer(server, n) for n in range(60)]
        done = False

        def go_on() -> int:
            while not done:
                customer(server, next(numbers))
            return next(numbers)

        calling = caller.submit(go_on)
        recipe.follow(0)
        done = True
        told = calling.result()

    checked = recipe.follow(1)

    assert "no drift" in checked
    kept = int(checked.split("no drift")[0].splitlines()[-1].split(" contacts")[0])
    assert 60 <= kept < told
    with serving(recipe.after, tmp_path) as server:
        again = [customer(server, n) for n in range(60)]
        new = server.identify("clara@hillvalley.edu")[1]["contact"]
    assert [c["primaryContactId"] for c in again] == [c["primaryContactId"] for c in earlier]
    assert new["primaryContactId"] > kept
    assert new["secondaryContactIds"] == []
