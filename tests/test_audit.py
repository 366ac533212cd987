"""The audit trail: which person did what, without anybody's email or phone number."""

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from identity import access, auditing, database
from identity.access import Role, Scope
from identity.auditing import Deed, Wanted
from identity.database import db
from identity.models import Audit, Ruling
from identity.web.pages.audit import WORDS
from tests.callers import (
    KEY,
    PASSWORD,
    bearing,
    from_outside,
    key,
    known,
    person,
    sign_in,
    sign_out,
)
from tests.conftest import Make, See
from tests.pages import PAGES, field, search, send
from tests.pages import text as read
from tests.terminal import run

MARTY = "mcfly@hillvalley.edu"


def trail(**wanted: Any) -> list[tuple[str | None, str, str | None]]:
    """Who did what, about what, in its order."""
    with database.reading() as connection:
        lines, _ = auditing.page(connection, Wanted(**wanted), None, 1000)
    return [(line.who, line.what.value, line.about) for line in reversed(lines)]


def since(before: list[Any]) -> list[tuple[str | None, str, str | None]]:
    return trail()[len(before) :]


@pytest.fixture
def doc(app: Flask, see: See) -> FlaskClient:
    """The browser of a steward, in a town with two customers."""
    see(MARTY, "123456")
    see("doc@hillvalley.edu", "555-4385")
    return person(app)


def test_signing_in_and_out_is_on_record_and_so_is_trying(app: Flask) -> None:
    client = from_outside(app)
    known(client)
    before = trail()

    sign_in(client, "wrong", "Doc")
    sign_in(client, "wrong", "nobody")
    sign_in(client, PASSWORD, MARTY)
    sign_in(client, PASSWORD, "Doc")
    sign_out(client)

    assert since(before) == [
        ("Doc", "sign_in_failed", None),
        (None, "sign_in_failed", None),
        (None, "sign_in_failed", None),
        ("Doc", "signed_in", None),
        ("Doc", "signed_out", None),
    ]
    with db.engine.connect() as connection:
        # The network, and not the machine.
        assert set(connection.scalars(select(Audit.came_from))) == {None, "203.0.113.0/24"}


def test_the_shared_password_is_on_record_as_what_it_is(make: Make) -> None:
    app = make(IDENTITY_PASSWORD=PASSWORD)
    client = from_outside(app)
    sign_in(client, "wrong")
    sign_in(client, PASSWORD)

    with app.app_context():
        assert [line[:2] for line in trail()] == [
            ("staff", "sign_in_failed"),
            ("staff", "signed_in"),
        ]


def test_what_people_look_at_is_on_record(doc: FlaskClient) -> None:
    before = trail()

    search(doc, MARTY)
    doc.get("/clusters/1")
    doc.get(f"/lookup?email={MARTY}")
    doc.get("/clusters/2.json")
    doc.get("/clusters/2/graph.json")
    doc.get("/why?oneContact=1&otherContact=2")
    doc.get("/clusters/2/forget")
    doc.post("/erasures/plan", json={"customer": 2})

    assert since(before) == [
        ("Doc", "searched", None),
        ("Doc", "customer_opened", "1"),
        ("Doc", "looked_up", None),
        ("Doc", "looked_up", "2"),
        ("Doc", "looked_up", "2"),
        ("Doc", "looked_up", None),
        ("Doc", "customer_opened", "2"),
        ("Doc", "looked_up", None),
    ]


def test_what_people_take_away_is_on_record(doc: FlaskClient) -> None:
    before = trail()

    for address in ("/export/customers.csv", "/export/contacts.csv", "/clusters/1/record.json"):
        doc.get(address).close()
    doc.get("/clusters/2/record.csv").close()

    assert since(before) == [
        ("Doc", "exported", "customers"),
        ("Doc", "exported", "contacts"),
        ("Doc", "record_taken", "1"),
        ("Doc", "record_taken", "2"),
    ]


def rule(client: FlaskClient, headers: dict[str, str], number: str) -> int:
    ruling = {"kind": "links_nobody", "value": {"phoneNumber": number}}
    answer = client.post("/rulings", json=ruling, headers=headers)
    return int(answer.get_json()["ruling"]["id"])


def test_rulings_are_on_record_whoever_rules(app: Flask, doc: FlaskClient) -> None:
    desk = key(doc, Scope.STEWARD, "desk")
    before = trail()

    first = rule(doc, {}, "555-0000")
    second = rule(from_outside(app), bearing(desk), "555-0001")
    doc.post(f"/rulings/{second}/withdrawal")
    run(app, "links-nobody", "555-0002", "--yes")

    assert since(before) == [
        ("Doc", "ruled", str(first)),
        ("desk", "ruled", str(second)),
        ("Doc", "ruling_undone", str(second)),
        ("the command line", "ruled", str(second + 1)),
    ]


def test_imports_are_on_record_when_they_are_carried_out(
    app: Flask, doc: FlaskClient, tmp_path: Path
) -> None:
    before = trail()
    file = b"email,phone\nclara@hillvalley.edu,0000000000\nno email,\n"
    given = {"file": (io.BytesIO(file), "customers.csv")}
    given["csrf_token"] = field(doc.get("/import"), "csrf_token")  # type: ignore[assignment]
    plan = send(doc, "/import", given)
    assert since(before) == []

    send(doc, "/imports/1", {name: field(plan, name) for name in ("csrf_token", "plan")})
    doc.get("/imports/1/rejects.csv").close()
    (tmp_path / "more.csv").write_text("email\ndoc@hillvalley.edu\n")
    run(app, "import", str(tmp_path / "more.csv"))
    run(app, "export", str(tmp_path / "all.csv"))
    run(app, "export", str(tmp_path / "all.copy"), "--evidence")

    assert since(before) == [
        ("Doc", "imported", "1"),
        ("Doc", "rejects_taken", "1"),
        ("the command line", "imported", "2"),
        ("the command line", "exported", "customers"),
        ("the command line", "exported", "evidence"),
    ]


def test_changes_of_users_and_keys_are_on_record(app: Flask) -> None:
    run(app, "key", "create", "shop")
    run(app, "key", "revoke", "shop")
    run(app, "user", "create", "Marty", "--password", PASSWORD)
    run(app, "user", "role", "Marty", "viewer")
    run(app, "user", "password", "Marty", "--password", "another one, Doc")
    run(app, "user", "remove", "Marty")
    run(app, "user", "remove", "Marty")
    run(app, "local")

    by = "the command line"
    assert trail() == [
        (by, "key_created", "shop"),
        (by, "key_revoked", "shop"),
        (by, "user_created", "Marty"),
        (by, "role_changed", "Marty"),
        (by, "password_changed", "Marty"),
        (by, "user_removed", "Marty"),
        (by, "local_let_in", None),
    ]


def test_what_keys_ask_writes_no_line(make: Make) -> None:
    app = make(IDENTITY_API_KEY=KEY)
    client = from_outside(app)

    client.post("/identify", json={"email": MARTY}, headers=bearing(KEY))
    for address in (f"/lookup?email={MARTY}", "/clusters/1.json", "/clusters/1/graph.json"):
        assert client.get(address, headers=bearing(KEY)).status_code == 200

    with app.app_context():
        assert trail() == []


def test_where_nobody_is_told_apart_only_what_is_taken_away_is_on_record(
    client: FlaskClient, see: See
) -> None:
    see(MARTY, "123456")

    client.get("/clusters/1")
    client.get(f"/lookup?email={MARTY}")
    client.get("/export/customers.csv").close()

    assert trail() == [(None, "exported", "customers")]


def test_no_line_holds_an_email_or_a_phone_number(app: Flask, doc: FlaskClient) -> None:
    search(doc, MARTY)
    search(doc, "555-4385")
    doc.get(f"/lookup?email={MARTY}&phoneNumber=123456")
    doc.get(f"/why?one={MARTY}&other=123456")
    sign_in(from_outside(app), MARTY, "123456")
    rule(doc, {}, "555-4385")

    with db.engine.connect() as connection:
        kept = [str(value) for row in connection.execute(select(Audit.table())) for value in row]
    assert not re.search(r"@|hillvalley|123456|5554385|555-4385", " ".join(kept))


def broken() -> None:
    """Let no line be written, as when the disk is full."""
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO audit_away"))


def mended() -> None:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_away RENAME TO audit"))


def test_what_cannot_be_recorded_is_not_done(doc: FlaskClient) -> None:
    before = trail()
    broken()
    try:
        doc.application.testing = False
        answers = {
            address: doc.get(address)
            for address in ("/export/customers.csv", "/clusters/1", "/clusters/1/record.json")
        }
        answers["/sign-out"] = sign_out(doc)
        ruling = {"kind": "links_nobody", "value": {"phoneNumber": "123456"}}
        answers["/rulings"] = doc.post("/rulings", json=ruling)
    finally:
        doc.application.testing = True
        mended()

    assert {answer.status_code for answer in answers.values()} <= {500, 503}
    assert not [each for each in answers.values() if "mcfly" in each.text]
    with db.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Ruling)) == 0
    assert trail() == before
    # Nor is anybody signed out unseen.
    assert doc.get("/clusters").status_code == 200


def test_administrators_read_it_by_the_page_and_nobody_else(app: Flask) -> None:
    doc = person(app, "Doc", Role.ADMINISTRATOR)
    for n in range(60):
        auditing.note(Deed.CUSTOMER_OPENED, "Marty", n)

    first = doc.get("/audit", headers=PAGES)
    (older,) = re.findall(r'href="([^"]+)">Older', first.text)
    second = doc.get(older.replace("&amp;", "&"), headers=PAGES)

    assert first.text.count("Opened a customer</td>") == 50
    assert second.text.count("Opened a customer</td>") == 10
    assert "customer 59" in read(first)
    assert "Older" not in second.text
    assert person(app, "Marty", Role.STEWARD).get("/audit").status_code == 403


def test_it_is_read_by_who_did_what_and_when(app: Flask) -> None:
    doc = person(app, "Doc", Role.ADMINISTRATOR)
    auditing.note(Deed.EXPORTED, "Marty", "customers")
    auditing.note(Deed.EXPORTED, "Lorraine", "contacts")
    with db.engine.begin() as connection:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        connection.execute(update(Audit).where(Audit.who == "Lorraine").values(at=yesterday))

    def shown(query: str) -> str:
        return read(doc.get(f"/audit?{query}", headers=PAGES)).split("From")[-1]

    assert "Marty" in shown("who=Marty")
    assert "Lorraine" not in shown("who=Marty")
    assert "Signed in" not in shown("what=exported")
    assert "Lorraine" in shown(f"what=exported&day={yesterday:%Y-%m-%d}")
    assert "Marty" not in shown(f"day={yesterday:%Y-%m-%d}")
    assert "nothing like that" in shown("who=Biff")
    assert "Signed in" in shown("what=nonsense&day=1&before=x")


def test_it_is_read_at_the_terminal(app: Flask) -> None:
    for n in range(3):
        auditing.note(Deed.CUSTOMER_OPENED, "Marty", n)
    auditing.note(Deed.SIGN_IN_FAILED, None, came_from="203.0.113.0/24")

    listed = run(app, "audit", "--what", "customer_opened", "--who", "Marty", "--most", "2")

    assert [line.split("\t")[2:] for line in listed.stdout.splitlines()] == [
        ["Marty", "customer_opened", "2", "-"],
        ["Marty", "customer_opened", "1", "-"],
    ]
    assert "--before 2" in listed.stderr
    assert "\t-\tsign_in_failed\t-\t203.0.113.0/24" in run(app, "audit").stdout
    assert run(app, "audit", "--day", "1955-11-05").stdout == ""


def test_each_kind_of_line_has_its_words() -> None:
    assert set(WORDS) == set(Deed)


@pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8:1:2:3::4", "198.51.100.1:4711"])
def test_where_somebody_came_from_is_told_coarsely(make: Make, address: str) -> None:
    app = make(IDENTITY_PASSWORD=PASSWORD, TRUSTED_PROXIES="1")
    client = app.test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = address

    sign_in(client, PASSWORD)

    with app.app_context(), database.reading() as connection:
        (line,), _ = auditing.page(connection, Wanted(), None, 10)
    networks = {"203.0.113.0/24", "2001:db8:1::/48", "198.51.100.0/24"}
    assert line.came_from in networks


def test_a_user_of_the_same_name_reads_nothing_of_the_one_before(app: Flask) -> None:
    client = person(app, "Doc", Role.ADMINISTRATOR)
    access.remove_user("Doc")
    access.create_user("Doc", PASSWORD, Role.VIEWER)

    assert client.get("/audit", headers=PAGES).status_code == 303
    sign_in(client, PASSWORD, "Doc")
    assert client.get("/audit").status_code == 403
