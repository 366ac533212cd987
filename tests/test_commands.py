"""The commands, as somebody at a terminal or in a script meets them."""

import csv
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from identity.importing import records
from identity.verification import verify
from tests.conftest import See, app_on
from tests.test_importing import rows_in_all_tables

SHOP = """Email,Phone,Created at
doc@hillvalley.edu,555-4385,
nobody,,
emmett@brown.org,555-4385,2020-01-01
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text(SHOP)
    return path


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=["identity", *map(str, arguments)])


def test_an_import_tells_what_it_did_and_keeps_what_it_could_not_use(
    app: Flask, shop: Path
) -> None:
    result = run(app, "import", shop)

    assert result.exit_code == 1
    assert "plain, UTF-8, separated by commas, 3 rows" in result.output
    assert "source     import:1" in result.output
    assert "           1  new customers\n" in result.output
    assert "           2  contacts added\n" in result.output
    assert "           1  rows rejected\n" in result.output
    assert "line 3: Email: email must be" in result.output
    assert read(shop.parent / "shop.rejects.csv") == [
        ["rejected_line", "rejected_because", "Email", "Phone", "Created at"],
        ["3", "Email: email must be an address like name@example.com.", "nobody", "", ""],
    ]
    assert verify().problems == []


def test_rejected_rows_can_be_mended_and_imported(app: Flask, shop: Path) -> None:
    run(app, "import", shop)
    rejects = shop.parent / "shop.rejects.csv"
    rejects.write_text(rejects.read_text().replace("nobody", "nobody@example.com"))

    result = run(app, "import", rejects)

    assert result.exit_code == 0
    assert "           1  new customers\n" in result.output


def test_a_second_import_brings_nothing_new(app: Flask, shop: Path) -> None:
    run(app, "import", shop)

    result = run(app, "import", shop)

    assert "           0  contacts added\n" in result.output
    assert "           2  rows with nothing new\n" in result.output


def test_a_dry_run_says_the_same_and_writes_nothing(app: Flask, shop: Path, see: See) -> None:
    see("doc@hillvalley.edu")
    see(phone="5554385")
    before = rows_in_all_tables()

    dry = run(app, "import", shop, "--dry-run")

    assert dry.exit_code == 1
    assert "This would happen; nothing was written:" in dry.output
    assert "customers 1, 2 would be one; an older contact of the file stays" in dry.output
    assert rows_in_all_tables() == before
    assert list(shop.parent.glob("*.csv")) == [shop]
    told = dry.output.split("written:\n")[1].replace("would be", "are now")
    done = run(app, "import", shop).output.split("Done:\n")[1]
    assert done.startswith(told)


def test_columns_can_be_named(app: Flask, tmp_path: Path, see: See) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("who;call;also;land;since\ndoc@hillvalley.edu;06 12345678;1955;NL;2020-01-01\n")

    names = ("--email=who", "--phone=call", "--phone=also", "--country=land", "--created-at=since")
    result = run(app, "import", path, *names)

    assert result.exit_code == 0, result.output
    assert see("doc@hillvalley.edu").phone_numbers == ("+31612345678", "1955")


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("none.csv", (), "cannot be read: No such file or directory."),
        (".", (), "cannot be read: Is a directory."),
        ("empty.csv", (), "The file is empty."),
        ("shop.csv", ("--email=mail",), "has no column “mail”"),
        ("names.csv", (), "No column with emails or phone numbers was recognised."),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_and_exit_2(
    app: Flask, shop: Path, name: str, options: tuple[str, ...], sentence: str
) -> None:
    (shop.parent / "empty.csv").touch()
    (shop.parent / "names.csv").write_text("name\nDoc\n")

    result = run(app, "import", shop.parent / name, *options)

    assert result.exit_code == 2
    assert sentence in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert records.latest() == []


def test_an_export_has_one_row_a_customer(app: Flask, tmp_path: Path, see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("emmett@brown.org", "5554385")
    see(phone="1955")
    see("=cmd@x.org", "1955")
    path = tmp_path / "unified.csv"

    assert run(app, "export", path).exit_code == 0

    rows = read(path)
    assert rows[0][:6] == [
        *("customer_id", "email", "phone_number", "other_emails", "other_phone_numbers"),
        "contacts",
    ]
    assert [row[:6] for row in rows[1:]] == [
        ["1", "doc@hillvalley.edu", "5554385", "emmett@brown.org", "", "2"],
        ["3", "'=cmd@x.org", "1955", "", "", "2"],
    ]


def test_exported_contacts_can_be_imported_again(
    app: Flask, tmp_path: Path, see: See, shop: Path
) -> None:
    run(app, "import", shop)
    see("+plus@x.org", "1955")
    path = tmp_path / "contacts.csv"
    assert run(app, "export", path, "--contacts").exit_code == 0

    result = run(app, "import", path)

    assert result.exit_code == 0, result.output
    assert "           3  rows with nothing new\n" in result.output
    rows = read(path)
    assert rows[0][:3] == ["contact_id", "customer_id", "link_precedence"]
    assert [row[:3] for row in rows[1:]] == [
        ["2", "2", "primary"],
        ["1", "2", "secondary"],
        ["3", "3", "primary"],
    ]


def test_a_database_that_cannot_be_read_is_not_taken_for_a_wrong_one(tmp_path: Path) -> None:
    app = app_on(f"sqlite:///{tmp_path / 'empty.sqlite3'}")

    for command in (["verify"], ["key", "list"], ["seed"], ["export", str(tmp_path / "x.csv")]):
        result = run(app, *command)

        assert result.exit_code == 3
        assert result.stderr == (
            "Broken off: The database is not migrated. Run: flask db upgrade.\n"
        )


def test_an_export_goes_into_a_pipe(app: Flask, see: See) -> None:
    see("doc@hillvalley.edu", "5554385")

    result = run(app, "export", "-", "--contacts")

    assert result.stdout.splitlines()[0].startswith("contact_id,")
    assert len(result.stdout.splitlines()) == 2


def test_an_export_that_cannot_be_written_leaves_nothing(app: Flask, tmp_path: Path) -> None:
    result = run(app, "export", tmp_path / "none" / "unified.csv")

    assert result.exit_code == 2
    assert "cannot be written: No such file or directory." in result.output
    assert list(tmp_path.glob("*.part")) == []
