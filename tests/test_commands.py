"""The commands, as somebody at a terminal or in a script meets them."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from identity import ROOT, faults
from identity.cli import exits
from identity.cli.verify import UNREADABLE
from identity.database import db
from identity.identifiers import Identifiers, Kind, Value
from identity.importing import register
from identity.reconciliation import identify
from identity.rulings import applying, effects
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn, ImportWithdrawn
from identity.verification import verify
from tests.bringing import bring
from tests.conftest import See, app_on, close
from tests.tables import rows_in_all_tables

OPERATIONS = ROOT / "docs" / "operations.md"
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
    return list(csv.reader(path.read_text("utf-8-sig").splitlines()))


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=["identity", *map(str, arguments)])


def test_an_import_tells_what_it_did_and_keeps_what_it_could_not_use(
    app: Flask, shop: Path
) -> None:
    result = run(app, "import", shop)

    assert result.exit_code == 1
    assert "plain, UTF-8, separated by commas, 3 rows" in result.output
    assert "email      Email\n" in result.output
    assert "reference  -\n" in result.output
    assert "source     feed:plain\n" in result.output
    assert "import     1\n" in result.output
    assert "           1  new customers\n" in result.output
    assert "           2  contacts added\n" in result.output
    assert "           2  claims that the source had not told yet\n" in result.output
    assert "           1  rows rejected\n" in result.output
    assert "1 x Email: this is not an email address." in result.output
    assert read(shop.parent / "shop.rejects.csv") == [
        ["rejected_line", "rejected_because", "Email", "Phone", "Created at"],
        [
            "3",
            "Email: this is not an email address. It should look like name@example.com.",
            "nobody",
            "",
            "",
        ],
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
        (".", (), "This is a directory."),
        ("empty.csv", (), "The file is empty."),
        ("shop.csv", ("--email=mail",), "has no column “mail”"),
        ("names.csv", (), "No column with emails or phone numbers was recognised."),
        ("shop.csv", ("--source=a:b",), "A source has 1 to 100 printable characters"),
        ("shop.csv", ("--source=a:b", "--dry-run"), "A source has 1 to 100 printable characters"),
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
    assert register.latest() == []
    assert set(rows_in_all_tables().values()) == {0}


def test_who_tells_it_and_what_they_call_it_can_be_named(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("mail,number,given,family\ndoc@hillvalley.edu,A-1,Emmett,Brown\n")
    names = ("--reference=number", "--name=given", "--name=family", "--source=Till 2")

    result = run(app, "import", path, *names)

    assert "reference  number\n" in result.output
    assert "name       given, family\n" in result.output
    assert "source     feed:till-2\n" in result.output
    run(app, "export", tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[1][-2:] == ["A-1 (feed:till-2)", "Emmett Brown"]


def test_rows_that_a_ruling_keeps_apart_are_told(app: Flask, tmp_path: Path, see: See) -> None:
    see("doc@hillvalley.edu")
    see(phone="1955")
    applying.rule(
        Apart(Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "1955")), Ordered("doc")
    )
    path = tmp_path / "till.csv"
    path.write_text("email,phone\ndoc@hillvalley.edu,1955\n")

    for options in (("--dry-run",), ()):
        result = run(app, "import", path, *options)

        assert "           1  rows held: a ruling keeps them apart\n" in result.output
        assert "           0  customers merged into others\n" in result.output


def test_an_export_has_one_row_a_customer(app: Flask, tmp_path: Path, see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("emmett@brown.org", "5554385")
    see(phone="1955")
    see("=cmd@x.org", "1955")
    path = tmp_path / "unified.csv"

    assert run(app, "export", path).exit_code == 0

    rows = read(path)
    assert rows[0] == [
        *("customer_id", "email", "phone_number", "other_emails", "other_phone_numbers"),
        *("contacts", "created_at", "references", "names"),
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
    assert "is not a copy" in result.stderr
    rows = read(path)
    assert rows[0][:3] == ["contact_id", "customer_id", "link_precedence"]
    assert [row[:3] for row in rows[1:]] == [
        ["2", "2", "primary"],
        ["1", "2", "secondary"],
        ["3", "3", "primary"],
    ]


def named(contact: str | None, phone: str | None, reference: str, name: str, source: str) -> None:
    identify(Identifiers(contact, phone), source=source, reference=reference, name=name)


def test_exports_say_what_the_sources_call_everybody(app: Flask, tmp_path: Path) -> None:
    named("doc@hillvalley.edu", "1955", "7", "Emmett", "shop")
    named("doc@hillvalley.edu", "1955", "9", "", "till")
    named("emmett@brown.org", None, "", "=Doc", "shop")
    named("emmett@brown.org", "1955", "8", "Emmett", "shop")
    named("marty@hillvalley.edu", "1985", "7", "Marty", "shop")
    withdrawn = ClaimWithdrawn("doc@hillvalley.edu", "1955", "till")
    customers, contacts = tmp_path / "customers.csv", tmp_path / "contacts.csv"

    run(app, "export", customers)
    run(app, "export", contacts, "--contacts")

    assert [row[-2:] for row in read(customers)[1:]] == [
        ["7 (shop); 9 (till); 8 (shop)", "Emmett; '=Doc"],
        ["7 (shop)", "Marty"],
    ]
    assert [[row[0], *row[-2:]] for row in read(contacts)[1:]] == [
        ["1", "7 (shop); 9 (till)", "Emmett"],
        ["2", "8 (shop)", "'=Doc; Emmett"],
        ["3", "7 (shop)", "Marty"],
    ]
    applying.rule(withdrawn, Ordered("doc"))
    run(app, "export", customers)
    assert read(customers)[1][-2] == "7 (shop); 8 (shop)"


def test_exports_name_both_customers_of_what_is_held_and_nobody_who_ceased(
    app: Flask, tmp_path: Path, see: See
) -> None:
    see("doc@hillvalley.edu")
    see(phone="1955")
    see("biff@hillvalley.edu")
    apart = Apart(Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "1955"))
    applying.rule(apart, Ordered("doc"))
    applying.rule(ClaimWithdrawn("biff@hillvalley.edu", None, None), Ordered("doc"))
    named("doc@hillvalley.edu", "1955", "7", "Doc", "till")

    for options in ((), ("--contacts",)):
        run(app, "export", tmp_path / "out.csv", *options)

        assert [[row[0], *row[-2:]] for row in read(tmp_path / "out.csv")[1:]] == [
            ["1", "7 (till)", "Doc"],
            ["2", "7 (till)", "Doc"],
        ]


@pytest.mark.parametrize("columns", [None, 6])
def test_what_was_exported_for_a_spreadsheet_is_no_copy_and_said_to_be_none(
    app: Flask, tmp_path: Path, see: See, columns: int | None
) -> None:
    see("doc@hillvalley.edu", "1955")
    path = tmp_path / "contacts.csv"
    run(app, "export", path, "--contacts")
    # As the version before wrote it.
    path.write_text("".join(",".join(row[:columns]) + "\n" for row in read(path)))

    result = run(app, "import", path, "--dry-run")

    assert "exported from here for a spreadsheet, and is not a copy." in result.stderr
    assert "export --evidence" in run(app, "import", path).stderr


def test_each_exit_code_is_told_and_means_one_thing() -> None:
    codes = [value for name, value in vars(exits).items() if name.isupper() and name != "SIGNALS"]
    (table,) = re.findall(r"## Exit codes(.*?)## ", OPERATIONS.read_text(), re.DOTALL)

    assert len(set(codes)) == len(codes)
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == codes


def test_help_says_which_export_is_a_copy(app: Flask) -> None:
    told = " ".join(run(app, "export", "--help").output.split())

    assert "For a spreadsheet: CSV" in told
    assert "For a copy: --evidence." in told
    assert "5 when something is not, with 3" in " ".join(
        run(app, "verify", "--help").output.split()
    )


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


def test_verifying_tells_of_a_ruling_that_was_broken_off(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(b"email\ndoc@hillvalley.edu\nmarty@hillvalley.edu\nbiff@hillvalley.edu\n")
    for module in (effects, applying):
        monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(effects.matching, "__defaults__", (None, 1))

    def break_off(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        applying.rule(ImportWithdrawn(1), Ordered("doc"), break_off)

    result = run(app, "verify")

    assert result.exit_code == 0
    assert "  ruling 1 is being applied, or was broken off: " in result.stdout


def damaged(sentence: str, result: Result) -> None:
    assert result.exit_code == 4, result.output
    assert result.stderr == f"Broken off: {sentence}\n"
    assert result.stdout == ""


def scribble(content: bytes) -> bytes:
    """Overwrite all pages but the first, where the tables are described."""
    return content[:4096] + b"\xfe" * (len(content) - 4096)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "scribbled over": scribble,
    "cut off": lambda content: content[: len(content) // 2],
    "cut off in its header": lambda content: content[:50],
    "something else": lambda content: content.replace(b"SQLite", b"Roads?"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_a_sentence_and_not_a_traceback(
    tmp_path: Path, migrated_sqlite: Path, kind: str
) -> None:
    path = tmp_path / "identity.sqlite3"
    shutil.copy(migrated_sqlite, path)
    app = app_on(f"sqlite:///{path}")
    with app.app_context():
        bring(b"email\n" + b"".join(b"%d@hillvalley.edu\n" % number for number in range(500)))
    close(app)
    path.write_bytes(DAMAGE[kind](path.read_bytes()))

    damaged(faults.DAMAGED, run(app_on(f"sqlite:///{path}"), "verify"))
    damaged(
        faults.DAMAGED, run(app_on(f"sqlite:///{path}"), "export", tmp_path / "x", "--evidence")
    )
    assert not (tmp_path / "x").exists()
    assert_answers_503(app_on(f"sqlite:///{path}").test_client())


def assert_answers_503(client: FlaskClient) -> None:
    answer = client.post("/identify", json={"email": "0@hillvalley.edu"})

    assert answer.status_code == 503
    assert answer.get_json()["error"] == faults.DAMAGED


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE contact SET email = CAST(x'ff' AS TEXT)", faults.DAMAGED),
        ("UPDATE contact SET created_at = 'x@hillvalley.edu'", f"{UNREADABLE} ("),
        ("UPDATE claim SET brought = 'x@hillvalley.edu'", f"{UNREADABLE} ("),
    ],
)
def test_what_no_column_should_hold_is_a_sentence_too(
    tmp_path: Path, migrated_sqlite: Path, change: str, sentence: str
) -> None:
    path = tmp_path / "identity.sqlite3"
    shutil.copy(migrated_sqlite, path)
    app = app_on(f"sqlite:///{path}")
    with app.app_context():
        identify(Identifiers("doc@hillvalley.edu", None), source="test")
        with db.engine.begin() as connection:
            connection.execute(text(change))

    result = run(app, "verify")

    assert result.exit_code == 4
    assert result.stderr.startswith(f"Broken off: {sentence}")
    assert "hillvalley" not in result.output
    close(app)


def test_damage_of_postgresql_is_a_sentence_and_not_a_traceback(
    postgres_server: Any, migrated_database: str
) -> None:
    url = migrated_database
    app = app_on(url)
    with app.app_context():
        bring(b"email\n" + b"".join(b"%d@hillvalley.edu\n" % number for number in range(500)))
    close(app)
    copy = f"{url.rpartition('/')[2]}_damaged"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        # From file to file: nothing of it is in the server's memory.
        template = url.rpartition("/")[2]
        connection.execute(f"CREATE DATABASE {copy} TEMPLATE {template} STRATEGY FILE_COPY")
        with psycopg.connect(postgres_server.url(copy)) as other:
            [where] = other.execute("SELECT pg_relation_filepath('contact')").fetchone() or [""]
        with (postgres_server.data / where).open("r+b") as file:
            file.write(b"\xfe" * 8192)
        app = app_on(postgres_server.url(copy))
        try:
            damaged(faults.DAMAGED, run(app, "verify"))
            assert_answers_503(app.test_client())
        finally:
            close(app)
            connection.execute(f"DROP DATABASE {copy} WITH (FORCE)")
