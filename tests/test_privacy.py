"""What the guide to privacy says is what happens: its commands are run, in its order."""

import re
import shlex

import pytest

from identity import ROOT
from identity.config import Config
from identity.database import Base
from identity.identifiers import Identifiers
from identity.reconciliation import identify
from tests.conftest import Make
from tests.tables import everything
from tests.terminal import run

GUIDE = (ROOT / "docs" / "privacy.md").read_text()
COMMANDS = [
    shlex.split(line.partition(" > ")[0])[2:]
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    for line in block.strip().splitlines()
]
KEY = "onlydocknowsthiskeyandnobodyelsedoes"


def test_whoever_is_forgotten_as_the_guide_says_is_in_no_table(make: Make) -> None:
    app = make(ERASURE_KEY=KEY)
    with app.app_context():
        identify(Identifiers.parse("doc@hillvalley.edu", "5554385"), source="checkout")
        for command in COMMANDS:
            result = run(app, *command)
            assert result.exit_code == 0, (command, result.output)

        told = str(everything())
        again = identify(Identifiers.parse("doc@hillvalley.edu", "717171"), source="checkout")

    assert len(COMMANDS) > 4
    assert not re.search("doc@hillvalley|5554385", told)
    assert (again.cluster.emails, again.cluster.phone_numbers) == ((), ("717171",))


def test_every_table_is_named() -> None:
    table = GUIDE.split("## What is stored")[1].split("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)`", table))
    # How far something is done, and counts: nothing about anybody.
    without = {"feed", "sweep", "guard", "turn"}

    assert set(Base.metadata.tables) - named - without == set()


@pytest.mark.parametrize("name", ["RETAIN_HISTORY", "RETAIN_FILES"])
def test_the_examples_of_how_long_are_understood(name: str) -> None:
    (spelt,) = re.findall(rf"^- `{name}`, such as `([^`]+)`", GUIDE, re.MULTILINE)

    assert Config.from_environment({name: spelt})
