"""The table of OWASP ASVS tells the truth, and what no other test holds of it."""

import ast
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from identity import ROOT
from identity.errors import NotFound
from identity.web.pages import sealed
from tests.callers import person, sign_out

TABLE = (ROOT / "docs" / "asvs.md").read_text()
CHAPTERS = 17


def named_in(path: Path) -> set[str]:
    nodes = ast.parse(path.read_text()).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def rows() -> Iterator[tuple[str, str]]:
    """Yield each requirement with what holds it."""
    yield from re.findall(r"^\| (\d+\.\d+\.\d+) \|[^|]+\| (.*) \|$", TABLE, re.MULTILINE)


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)::(\w+)`", TABLE))

    assert len(named) > 80
    missing = {(file, name) for file, name in named if name not in named_in(ROOT / "tests" / file)}
    assert missing == set()


def test_every_requirement_stands_once_and_in_its_chapter() -> None:
    ids = [tuple(map(int, id_.split("."))) for id_, _ in rows()]

    assert ids == sorted(set(ids))
    assert len(ids) > 150
    assert re.findall(r"^## V(\d+) ", TABLE, re.MULTILINE) == [
        str(n) for n in range(1, CHAPTERS + 1)
    ]
    for chapter in TABLE.split("\n## V")[1:]:
        number = chapter.split()[0]
        found = re.findall(r"^\| (\d+)\.\d+\.\d+ \|", chapter, re.MULTILINE)
        assert set(found) <= {number}


def test_what_no_test_holds_says_why() -> None:
    silent = [id_ for id_, held in rows() if "::" not in held and len(held) < 3]

    assert silent == []


FORBIDDEN = {
    *("subprocess", "pickle", "marshal", "shelve", "yaml", "ctypes", "code", "xml"),
    *("urllib", "urllib3", "requests", "httpx", "http", "aiohttp", "smtplib", "ftplib"),
}
"""What runs programs, reads objects, or asks somebody else."""
NEEDED = {
    "addresses.py": {"urllib"},
    "asking.py": {"http", "urllib"},
    "audience.py": {"urllib"},
    "belonging.py": {"ctypes"},
    "beside.py": {"subprocess"},
    "passing.py": {"http"},
    "reading.py": {"marshal"},
    "workbooks.py": {"subprocess"},
    "sending.py": {"urllib", "urllib3"},
    "workers.py": {"urllib3"},
}
"""A door asks the office, by a path of ours; and a process asks the system to end with another.
Webhooks are sent by a process that is begun for it, to addresses that are looked at.
An import keeps what it has read in a file that has no name, so that nobody else writes it; and a
workbook is read by a program of ours, which may take only so much."""
RUNS = r"os\.(system|popen|exec)|(?<![\w.])(eval|exec)\(|render_template_string|\.format_map\("


def imported(source: str) -> set[str]:
    """The first names of the modules that a module imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_nothing_runs_programs_or_code_of_data() -> None:
    for path in (ROOT / "identity").rglob("*.py"):
        source = path.read_text()
        assert imported(source) & FORBIDDEN <= NEEDED.get(path.name, set()), path
        assert not re.search(RUNS, source), path


def test_nothing_changes_the_audit_trail() -> None:
    changes = r"(update|delete)\(Audit|(UPDATE|DELETE FROM|TRUNCATE) audit"
    found = [
        path.name
        for path in (ROOT / "identity").rglob("*.py")
        if re.search(changes, path.read_text())
    ]

    # What RETAIN_HISTORY has kept long enough goes from its end, and the ledger says so.
    assert found == ["history.py"]


@pytest.mark.parametrize("address", ["/static", "/static/", "/static/../wsgi.py", "/.git/config"])
def test_no_folder_is_listed(app: Flask, address: str) -> None:
    with closing(app.test_client().get(address)) as response:
        assert response.status_code == 404


@pytest.mark.parametrize("address", ["/", "/identify", "/health"])
def test_trace_is_refused(app: Flask, address: str) -> None:
    assert app.test_client().open(address, method="TRACE").status_code == 405


def test_nothing_about_people_is_kept_by_browsers(app: Flask) -> None:
    doc = person(app)

    for address in ("/", "/clusters", "/account", "/sign-in", "/export/customers.csv"):
        with closing(doc.get(address)) as response:
            assert response.headers["Cache-Control"] == "no-store", address
    assert sign_out(doc).headers["Clear-Site-Data"] == '"cache", "storage"'
    scripts = " ".join(path.read_text() for path in (ROOT / "static").glob("*.js"))
    assert not re.search("localStorage|sessionStorage|indexedDB|document.cookie", scripts)


@pytest.mark.usefixtures("app")
def test_what_is_sealed_for_one_purpose_is_of_no_use_for_another() -> None:
    given = sealed.seal(["mcfly@hillvalley.edu", None], "adding")

    assert sealed.unseal(given, "adding") == ["mcfly@hillvalley.edu", None]
    with pytest.raises(NotFound):
        sealed.unseal(given, "search")
