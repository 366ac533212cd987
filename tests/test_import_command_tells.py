"""What the terminal tells of how a file is read, and of what could not be."""

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

FILE = """Email,Phone,Created at,Rechnungspost,Shipping Phone
doc@hillvalley.edu,555-4385,01/05/2024,brown@x.org,(303) 555-0199
nobody,9.19E+11,N/A,clara@x.org,(303) 555-0198
marty@hillvalley.edu,FLOWERS,02/05/2024,,
einstein@hillvalley.edu,044 668 18 00,,,
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text(FILE)
    return path


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=["identity", "import", *map(str, arguments)])


def test_whatever_was_not_read_or_not_used_is_told(app: Flask, file: Path) -> None:
    told = run(app, file, "--dry-run").output

    assert "Is 03/04/2024 in April or in March? Nothing in “Created at” tells." in told
    assert "“Rechnungspost” holds emails. To read it:" in told
    assert '--email "Email" --email "Rechnungspost"' in told
    assert '--phone "Phone" --phone "Shipping Phone"' in told
    assert "  2 x Created at: this date can be read in two ways." in told
    assert "    line 2: 01/05/2024\n    line 4: 02/05/2024\n" in told
    assert "  1 x Email: this is not an email address." in told
    assert "    line 3: nobody\n" in told
    assert "  1 x Phone: a spreadsheet has destroyed this number" in told


def test_what_the_file_does_not_tell_can_be_said(app: Flask, file: Path) -> None:
    told = run(app, file, "--dry-run", "--date-format=day-first", "--region=Schweiz").output

    assert "  region     CH\n" in told
    assert "two ways" not in told
    assert "in April or in March" not in told


def test_a_file_of_which_no_name_is_known_is_looked_into(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("Kunde,Post,Ruf\nEmmett Brown,doc@x.org,0151 23456789\n")

    result = run(app, path)

    assert result.exit_code == 2
    assert "Its columns are: Kunde, Post, Ruf. “Post” holds emails: --email" in result.output
    assert '“Ruf” holds phone numbers: --phone "Ruf".' in result.output


def test_a_country_that_is_none_is_a_usage_error(app: Flask, file: Path) -> None:
    result = run(app, file, "--region=XX")

    assert result.exit_code == 2
    assert "Invalid value for '--region': There is no country “XX”." in result.output
