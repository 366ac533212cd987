"""A copy of all evidence: out of one database, into another, and back to the same customers."""

import hashlib
import io
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from identity import explaining, rebuilding
from identity.copying import making, restoring
from identity.copying.reading import begin
from identity.database import db
from identity.errors import IdentityError, InvalidInput
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim, Contact, Identifier, Import, KeptApart, Ruling
from identity.reconciliation import identify
from identity.rulings import applying, effects
from identity.rulings.applying import Ordered
from identity.rulings.kinds import (
    Apart,
    ClaimWithdrawn,
    ImportWithdrawn,
    LinksNobody,
    SourceWithdrawn,
    What,
)
from identity.verification import verify
from tests.bringing import bring
from tests.conftest import See, app_on, close, empty
from tests.tables import rows_in_all_tables

EMAILS = [f"{name}@hillvalley.edu" for name in "abcdef"]
PHONES = [f"55{number}" for number in range(6)]
VALUES = [Value(Kind.EMAIL, each) for each in EMAILS] + [Value(Kind.PHONE, each) for each in PHONES]
FOUNDING = select(Claim.email, Claim.phone_number).where(
    *(Claim.email.is_not(None), Claim.phone_number.is_not(None), Claim.contact_id.is_not(None))
)
"""What made a contact of two: ruled apart, it is told as two from then on."""
Line = dict[str, Any]


def run(app: Flask, *arguments: object) -> Result:
    # A command stays in the app whose context it finds.
    with app.app_context():
        return app.test_cli_runner().invoke(args=["identity", *map(str, arguments)])


@pytest.fixture
def other(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database of the other kind."""
    if backend == "sqlite":
        url = empty(request.getfixturevalue("migrated_postgres"))
    else:
        path = tmp_path / "other.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        url = f"sqlite:///{path}"
    app = app_on(url)
    yield app
    close(app)


class History:
    """What a shop and its stewards do in some weeks."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def happen(self, steps: int) -> None:
        for _ in range(steps):
            step = self.random.choice(
                [self.call] * 6 + [self.file] * 2 + [self.rule] * 3 + [self.undo]
            )
            # Much of it is refused: the same ruling twice, a call of which nothing is left.
            with suppress(IdentityError):
                step()

    def content(self) -> tuple[str | None, str | None]:
        email, phone = self.random.choice(EMAILS), self.random.choice(PHONES)
        return self.random.choice([(email, phone), (email, phone), (email, None), (None, phone)])

    def call(self) -> None:
        reference, name = self.random.choice([("", ""), ("", "Doc"), ("A-1", ""), ("A-2", "Émile")])
        source = self.random.choice(["checkout", "till", "the “shop”"])
        identify(Identifiers(*self.content()), source=source, reference=reference, name=name)

    def file(self) -> None:
        rows = ["email,phone,created at,reference,name"]
        for _ in range(self.random.randint(1, 5)):
            email, phone = self.content()
            year = self.random.choice(["", "2010-01-01", "2012-01-01", "2014-01-01"])
            rows.append(f"{email or ''},{phone or ''},{year},{self.random.choice(['', '7'])},Marty")
        bring("\n".join(rows).encode(), feed=self.random.choice(["shopify", "till"]))

    def rule(self) -> None:
        applying.rule(self.what(), Ordered("doc", self.random.choice([None, "they said so"])))

    def what(self) -> What:
        now = datetime.now(UTC)
        with db.engine.connect() as connection:
            import_id = connection.scalar(select(func.max(Import.id))) or 1
            founding = [
                list(Identifiers(*row).values()) for row in connection.execute(FOUNDING)
            ] or [VALUES[:2]]
        choices: list[What] = [
            Apart(*self.random.sample(VALUES, 2)),
            Apart(*self.random.choice(founding)),
            LinksNobody(self.random.choice(VALUES)),
            ImportWithdrawn(self.random.randint(1, import_id)),
            SourceWithdrawn("till", now - timedelta(seconds=0.1), now),
            ClaimWithdrawn(*self.content(), self.random.choice([None, "checkout"])),
        ]
        return self.random.choice(choices)

    def undo(self) -> None:
        with db.engine.connect() as connection:
            last = connection.scalar(select(func.max(Ruling.id))) or 1
        applying.withdraw(self.random.randint(1, last), Ordered("doc"))


def copied() -> bytes:
    return b"".join(making.parts())


def evidence_in(copy: bytes) -> list[bytes]:
    """What a copy holds, without when it was made."""
    return copy.splitlines()[1:-1]


def follows() -> list[Any]:
    """What follows from the evidence, as it is stored."""
    chosen = (
        select(
            *(Contact.id, Contact.email, Contact.phone_number),
            *(Contact.linked_id, Contact.link_precedence, Contact.created_at),
        )
        .where(Contact.deleted_at.is_(None))
        .order_by(Contact.id),
        select(Identifier.kind, Identifier.value, Identifier.contact_id).order_by(
            Identifier.kind, Identifier.value
        ),
        select(*KeptApart.table().c).order_by(*KeptApart.table().c),
    )
    with db.engine.connect() as connection:
        return [connection.execute(each).all() for each in chosen]


def whose(contact_ids: range) -> list[Any]:
    """Whose each contact is by now, those that ceased too."""
    with db.engine.connect() as connection:
        return [explaining.now(connection, contact_id) for contact_id in contact_ids]


@pytest.mark.parametrize("seed", [1, 4, 9])
def test_a_copy_gives_everything_back_on_either_database(
    app: Flask, other: Flask, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (making, restoring):
        monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(restoring, "AT_ONCE", 4)
    file = tmp_path / "all.copy"
    History(seed).happen(60)
    here, last = follows(), len(follows()[0]) + 40
    copy, ceased = copied(), whose(range(1, last))

    assert run(app, "export", file, "--evidence").exit_code == 0
    result = run(other, "import", file)

    assert result.exit_code == 0, result.output
    with other.app_context():
        assert follows() == here
        assert evidence_in(copied()) == evidence_in(copy)
        assert whose(range(1, last)) == ceased
        assert verify().problems == []


@pytest.mark.parametrize("seed", [5, 11])
def test_rulings_are_withdrawn_after_it_as_they_would_have_been_before(
    app: Flask, other: Flask, tmp_path: Path, seed: int
) -> None:
    History(seed).happen(60)
    (tmp_path / "all.copy").write_bytes(copied())
    with db.engine.connect() as connection:
        standing = connection.scalars(select(Ruling.id).where(Ruling.withdrawn_at.is_(None))).all()
    assert standing
    assert run(other, "import", tmp_path / "all.copy").exit_code == 0

    for ruling_id in standing:
        planned = applying.plan_withdrawal(ruling_id).as_json()
        applying.withdraw(ruling_id, Ordered("doc"))
        with other.app_context():
            assert applying.plan_withdrawal(ruling_id).as_json() == planned
            applying.withdraw(ruling_id, Ordered("doc"))

    here = [customer[1:] for customer in by_identifiers()]
    with other.app_context():
        assert [customer[1:] for customer in by_identifiers()] == here
        assert verify().problems == []


def by_identifiers() -> list[Any]:
    contacts = follows()[0]
    dates = {each.id: each.created_at for each in contacts}
    return sorted(
        (c.id, c.email or "", c.phone_number or "", dates[c.linked_id or c.id]) for c in contacts
    )


def test_numbers_go_on_above_all_that_were_ever_given(
    app: Flask, other: Flask, tmp_path: Path, see: See
) -> None:
    see("doc@hillvalley.edu")
    see("marty@hillvalley.edu")
    bring(b"email\nbiff@hillvalley.edu\n")
    applying.rule(ClaimWithdrawn("marty@hillvalley.edu", None, None), Ordered("doc"))
    applying.rule(ClaimWithdrawn("biff@hillvalley.edu", None, None), Ordered("doc"))
    with db.engine.connect() as connection:
        place = connection.scalar(select(func.max(Claim.id))) or 0
    (tmp_path / "all.copy").write_bytes(copied())
    run(other, "import", tmp_path / "all.copy")

    with other.app_context():
        assert (
            identify(Identifiers("new@hillvalley.edu", None), source="test").cluster.primary_id > 3
        )
        bring(b"email\nnewer@hillvalley.edu\n")
        ruled, _ = applying.rule(ClaimWithdrawn("newer@hillvalley.edu", None, None), Ordered("doc"))

        assert ruled.id > 2
        with db.engine.connect() as connection:
            assert connection.scalar(select(func.max(Import.id))) == 2
            new = select(func.min(Claim.id)).where(Claim.email.like("new%"))
            assert (connection.scalar(new) or 0) > place
        applying.withdraw(1, Ordered("doc"))
        assert (
            identify(Identifiers("marty@hillvalley.edu", None), source="test").cluster.primary_id
            == 2
        )
        assert verify().problems == []


def test_a_ruling_that_was_broken_off_is_finished_after_it(
    app: Flask, other: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{number}@hillvalley.edu\n" for number in range(12))
    bring(f"email\n{rows}".encode())
    for module in (effects, applying):
        monkeypatch.setattr(module, "AT_ONCE", 5)
    monkeypatch.setattr(effects.matching, "__defaults__", (None, 5))

    def break_off(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        applying.rule(ImportWithdrawn(1), Ordered("doc"), break_off)
    (tmp_path / "all.copy").write_bytes(copied())
    assert run(other, "import", tmp_path / "all.copy").exit_code == 0

    told = run(other, "verify")

    assert told.exit_code == 0
    assert "ruling 1 is being applied, or was broken off" in told.stdout
    with other.app_context():
        applying.rule(ImportWithdrawn(1), Ordered("doc"))
        assert verify().contacts == 0
        assert verify().unfinished == []


MOMENT = "2026-05-01T09:58:12+00:00"


def claim(place: int, email: str | None, phone_number: str | None, **more: object) -> Line:
    told: Line = {"email": email, "phone_number": phone_number, "source": "till", "import_id": None}
    moments = {"told_at": MOMENT, "dated_at": MOMENT}
    made = {"contact_id": place, "brought": "email", "other_contact_id": None, "held_by": None}
    rest: Line = {"stands": True, "references": [], "withdrawn_by": []}
    return {"line": "claim", "id": place, **told, **moments, **made, **rest, **more}


BIFF = {"reference": "7", "name": "Biff", "import_id": 1}
LINES: list[Line] = [
    {
        "identity": "copy of all evidence",
        "version": 1,
        "made_at": MOMENT,
        "counts": {"imports": 1, "rulings": 1, "claims": 3, "references": 1},
        "last": {"contact": 3, "place": 4, "ruling": 1, "import": 1},
    },
    {
        "line": "import",
        "id": 1,
        "file_name": "shop.csv",
        "given_by": "doc",
        "given_at": MOMENT,
        "started_at": MOMENT,
        "finished_at": MOMENT,
        "feed": "feed:shop",
        "counts": {"rows": 1},
    },
    {
        "line": "ruling",
        "id": 1,
        "kind": "links_nobody",
        "by": "doc",
        "at": MOMENT,
        "what": '{"kind": "links_nobody", "value": {"phoneNumber": "5554385"}}',
        "reason": None,
        "plan": {},
        "up_to": 3,
        "done": None,
        "withdrawn_by": None,
        "withdrawn_at": None,
        "withdrawn_reason": None,
    },
    claim(1, "doc@hillvalley.edu", "5554385"),
    claim(2, "marty@hillvalley.edu", "5554385"),
    claim(3, "biff@hillvalley.edu", None, source="feed:shop", import_id=1, references=[BIFF]),
    {"line": "end"},
]


def sealed(lines: list[Line]) -> bytes:
    """A copy of these lines that nobody can tell from a real one by its last line."""
    *before, end = lines
    content = "".join(map(spelt, before)).encode()
    end = end | {"lines": len(lines), "sha256": hashlib.sha256(content).hexdigest()}
    return content + spelt(end).encode()


def spelt(line: Line) -> str:
    return json.dumps(line, separators=(",", ":")) + "\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A file with three customers."""
    file = tmp_path / "all.copy"
    file.write_bytes(sealed(LINES))
    return file


def test_what_a_copy_holds_can_be_seen_first(app: Flask, copy: Path) -> None:
    before = rows_in_all_tables()

    result = run(app, "import", copy, "--dry-run")

    assert result.exit_code == 0
    assert "all.copy: a copy of all evidence, made 2026-05-01 09:58 UTC\n" in result.output
    for number, label in ((1, "imports"), (1, "rulings"), (3, "claims"), (1, "references")):
        assert f"{number:>14,}  {label}\n" in result.output
    assert "nothing was written." in result.output
    assert rows_in_all_tables() == before


def test_a_copy_goes_into_an_empty_database_only(app: Flask, copy: Path) -> None:
    assert run(app, "import", copy).exit_code == 0
    assert verify().problems == []
    before = rows_in_all_tables()

    for options in ((), ("--dry-run",)):
        result = run(app, "import", copy, *options)

        assert result.exit_code == 2
        assert "it has 3 contacts, 3 claims, 1 rulings, 1 imports. Nothing was" in result.stderr
        assert rows_in_all_tables() == before


def edit(number: int, **values: object) -> Callable[[list[Line]], None]:
    return lambda lines: lines[number - 1].update(values)


def swap(lines: list[Line]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


SEALED: dict[str, tuple[Callable[[list[Line]], Any], str]] = {
    "another version": (edit(1, version=2), "Line 1: this copy is of another version than 1"),
    "an unknown key": (edit(4, shoe_size="x@hillvalley.edu"), "Line 4: it holds something that"),
    "an unknown key as an email": (
        lambda lines: lines[3].update({"x@hillvalley.edu": 1}),
        "Line 4: it holds something that this version does not know.",
    ),
    "a key less": (lambda lines: lines[3].pop("source"), "Line 4: its source is missing."),
    "a wrong type": (edit(5, told_at="x@hillvalley.edu"), "Line 5: its told_at cannot be used."),
    "a number too large": (edit(5, contact_id=2**62), "Line 5: its contact_id cannot be used."),
    "a NUL": (edit(4, email="x@hillvalley.edu\0"), "Line 4: its email cannot be used."),
    "half a character": (edit(4, email="\ud800"), "Line 4: it is not JSON."),
    "no such kind": (edit(4, line="x@hillvalley.edu"), "Line 4: it is neither an import nor a"),
    "the same place twice": (lambda lines: lines.insert(4, lines[3]), "is there twice."),
    "another order": (swap, "Line 5: claim 1 comes after "),
    "a claim before a ruling": (
        lambda lines: lines.insert(1, lines.pop(3)),
        "Line 3: imports come first, then rulings, then claims.",
    ),
    "a claim less": (lambda lines: lines.pop(4), "Line 6: there are not as many lines before"),
    "nothing told": (edit(4, email=None, phone_number=None), "Line 4: it tells nothing"),
    "no such ruling": (edit(4, withdrawn_by=[9]), "Line 4: it is withdrawn by a ruling that is"),
    "a contact after the last": (edit(4, contact_id=99), "Line 4: it names contact 99, and the"),
    "a ruling that names nothing": (edit(3, what='{"one"'), "Line 3: what it names cannot be"),
}


@pytest.mark.parametrize("kind", SEALED)
def test_a_copy_that_says_what_cannot_be_is_refused_by_its_line(kind: str) -> None:
    change, sentence = SEALED[kind]
    lines = deepcopy(LINES)
    change(lines)

    refuse(sealed(lines), sentence)


CHANGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut between lines": (lambda content: content[: content.rindex(b'{"line":"end"')], "cut off"),
    "cut in a line": (lambda content: content[:-400], "the file is cut off in it."),
    "cut in the first line": (lambda content: content[:60], "Line 1: it is not JSON."),
    "edited": (lambda content: content.replace(b"marty", b"marti"), "Line 7: the file is not as"),
    "mended by an editor": (lambda content: content.replace(b"\n", b"\r\n"), "the file is not as"),
    "marked by an editor": (lambda content: b"\xef\xbb\xbf" + content, "Line 1: it is not JSON."),
    "twice": (lambda content: content * 2, "Line 8: something follows the last line."),
    "brackets": (
        lambda content: content.replace(b'"plan":{', b'"plan":{"x":' + b"[" * 100_000),
        "Line 3: it is not JSON.",
    ),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_copy_that_was_cut_or_changed_is_refused(kind: str) -> None:
    change, sentence = CHANGED[kind]

    refuse(change(sealed(LINES)), sentence)


def refuse(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        list(begin(lambda: io.BytesIO(content)).lines())

    assert sentence in str(refused.value)
    assert "@" not in str(refused.value)


@pytest.mark.parametrize("change", [edit(6, dated_at="x"), edit(5, contact_id=1)])
def test_of_a_copy_that_is_refused_nothing_is_written(
    app: Flask, copy: Path, change: Callable[[list[Line]], None]
) -> None:
    lines = deepcopy(LINES)
    change(lines)
    copy.write_bytes(sealed(lines))
    before = rows_in_all_tables()

    result = run(app, "import", copy)

    assert result.exit_code == 2
    assert re.fullmatch(r".*/all\.copy: Line [56]: .*\n", result.stderr)
    assert "hillvalley" not in result.output
    assert rows_in_all_tables() == before


def test_one_that_is_broken_off_leaves_nothing_and_can_be_said_again(
    app: Flask, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "AT_ONCE", 1)
    follow, left = rebuilding.follow, iter(range(2))

    def break_off(*arguments: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return follow(*arguments)

    monkeypatch.setattr(rebuilding, "follow", break_off)
    before = rows_in_all_tables()
    assert run(app, "import", copy).exit_code == 130
    assert rows_in_all_tables() == before
    monkeypatch.undo()

    assert run(app, "import", copy).exit_code == 0

    assert verify().problems == []


def test_a_copy_is_taken_as_it_is(app: Flask, copy: Path) -> None:
    for option in ("--email=mail", "--source=shop", "--rejects=x.csv"):
        result = run(app, "import", copy, option)

        assert result.exit_code == 2
        assert "only --dry-run goes with it." in result.output


def test_an_export_is_either_for_a_spreadsheet_or_a_copy(app: Flask, tmp_path: Path) -> None:
    result = run(app, "export", tmp_path / "x", "--contacts", "--evidence")

    assert result.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_copy_goes_into_a_pipe(app: Flask, copy: Path) -> None:
    run(app, "import", copy)

    result = run(app, "export", "-", "--evidence")

    assert [json.loads(line) for line in evidence_in(result.stdout_bytes)] == LINES[1:-1]
