"""docs/report.md tells the truth: its example is made, and its definitions are those printed."""

import re
from pathlib import Path

from flask import Flask

from identity import ROOT
from identity.duplicates import words
from tests.bringing import bring

GUIDE = (ROOT / "docs" / "report.md").read_text()


def folded(text: str) -> str:
    return " ".join(text.split())


def test_the_example_answers_as_printed(app: Flask, tmp_path: Path) -> None:
    orders, newsletter = re.findall(r"```csv\n(.*?)```", GUIDE, re.DOTALL)
    (said,) = re.findall(r"\$ flask identity report .*?\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "orders.csv").write_text(orders)
    bring(orders.encode())
    bring(newsletter.encode(), feed="newsletter")

    run = app.test_cli_runner().invoke
    result = run(args=["identity", "report", "--orders", str(tmp_path / "orders.csv")])

    assert result.output.split("Definitions\n")[0] == said


def test_the_definitions_are_those_of_the_report() -> None:
    for definition in words.definitions(orders=True):
        assert definition in folded(GUIDE)
