"""Sessions of people: they end when they should, and what was copied of them too."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from identity import access
from identity.database import db
from identity.models import Session
from tests.callers import PASSWORD, bearing, from_outside, key, known, person, sign_in, sign_out
from tests.conftest import Make, app_on, close
from tests.pages import field, text
from tests.terminal import run


@pytest.fixture
def elsewhere(database_url: str, app: Flask) -> Iterator[Flask]:
    """The same service on another machine, which remembers what it asked a moment ago."""
    other = app_on(database_url)
    yield other
    close(other)


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("identity")
    assert found is not None
    return found.value


def with_cookie(app: Flask, value: str) -> FlaskClient:
    client = from_outside(app)
    client.set_cookie("identity", value)
    return client


def signed_in(client: FlaskClient) -> bool:
    return client.get("/clusters").status_code == 200


def sessions() -> list[Any]:
    with db.engine.connect() as connection:
        return list(connection.execute(select(Session.table())))


def move(hours: float) -> None:
    """Let all sessions have begun so many hours earlier."""
    earlier = timedelta(hours=hours)
    for row in sessions():
        moments = {"began_at": row.began_at - earlier, "ends_at": row.ends_at - earlier}
        with db.engine.begin() as connection:
            connection.execute(update(Session).values(moments))


def test_a_session_ends_twelve_hours_after_it_began_though_it_was_used(app: Flask) -> None:
    client = person(app)

    move(hours=11.9)
    assert signed_in(client)
    move(hours=0.2)

    assert not signed_in(client)


def test_a_session_is_no_longer_for_a_clock_that_was_set_back(app: Flask) -> None:
    client = person(app)

    # As it looks to a clock that is a day behind the one by which it began.
    move(hours=-24)

    assert not signed_in(client)
    assert sign_in(client, PASSWORD, "Doc").status_code == 303
    assert signed_in(client)


def test_signing_out_ends_what_was_copied_too_everywhere_at_once(
    app: Flask, elsewhere: Flask
) -> None:
    client = person(app)
    copies = [with_cookie(each, cookie(client)) for each in (app, elsewhere)]
    assert all(map(signed_in, copies))

    sign_out(client)

    assert not any(map(signed_in, [client, *copies]))
    assert sessions() == []


def test_signing_out_ends_no_other_session(app: Flask) -> None:
    client, other = person(app), from_outside(app)
    sign_in(other, PASSWORD, "Doc")

    sign_out(client)

    assert signed_in(other)


@pytest.mark.parametrize("end", ["password", "removal", "another of that name"])
def test_who_gets_another_password_or_leaves_is_signed_out_everywhere_at_once(
    app: Flask, elsewhere: Flask, end: str
) -> None:
    client = person(app)
    copy = with_cookie(elsewhere, cookie(client))
    assert signed_in(copy)

    if end == "password":
        access.change_password("Doc", "another one, Marty")
    else:
        access.remove_user("Doc")
    if end == "another of that name":
        access.create_user("Doc", PASSWORD)

    assert not signed_in(client)
    assert not signed_in(copy)


def test_sessions_of_the_environment_end_with_its_password(make: Make) -> None:
    client = from_outside(make(IDENTITY_PASSWORD=PASSWORD))
    sign_in(client, PASSWORD)
    value = cookie(client)
    assert signed_in(client)

    again, later = make(IDENTITY_PASSWORD=PASSWORD), make(IDENTITY_PASSWORD="heavy, 1.21 GW")

    assert signed_in(with_cookie(again, value))
    assert not signed_in(with_cookie(later, value))
    assert not signed_in(with_cookie(make(), value))


def test_what_a_browser_keeps_is_not_what_the_database_keeps(app: Flask) -> None:
    client = person(app)

    with client.session_transaction() as kept:
        token = kept["id"]

    (row,) = sessions()
    assert row.name == "Doc"
    assert token not in row.hash
    assert len(token) >= 43


def test_signing_in_again_is_another_session_and_ends_the_one_before(app: Flask) -> None:
    client = person(app)
    first = cookie(client)

    sign_in(client, PASSWORD, "Doc")

    assert signed_in(client)
    assert not signed_in(with_cookie(app, first))
    assert len(sessions()) == 1


def change(client: FlaskClient, current: str, new: str) -> TestResponse:
    token = field(client.get("/account"), "csrf_token")
    given = {"csrf_token": token, "current": current, "new": new}
    return client.post("/account", data=given)


def test_somebody_changes_their_password_who_knows_it(app: Flask) -> None:
    client = person(app)
    other = from_outside(app)
    sign_in(other, PASSWORD, "Doc")

    wrong = change(client, "wrong", "heavy, 1.21 GW")
    weak = change(client, PASSWORD, "passwordpassword")
    done = change(client, PASSWORD, "heavy, 1.21 GW")

    assert "This is not your password." in wrong.text
    assert "guessed first" in weak.text
    assert (wrong.status_code, weak.status_code, done.status_code) == (400, 400, 303)
    assert signed_in(client)
    assert not signed_in(other)
    assert sign_in(from_outside(app), "heavy, 1.21 GW", "Doc").status_code == 303


def test_guessing_a_password_by_an_open_session_ends_soon(app: Flask) -> None:
    client = person(app)

    told = [change(client, "wrong", "heavy, 1.21 GW").status_code for _ in range(11)]

    assert told == [400] * 10 + [429]


def test_somebody_signs_out_everywhere(app: Flask) -> None:
    client, other = person(app), from_outside(app)
    sign_in(other, PASSWORD, "Doc")
    page = client.get("/account")

    client.post("/account/sessions", data={"csrf_token": field(page, "csrf_token")})

    assert text(page).count("Since ") == 2
    assert not signed_in(client)
    assert not signed_in(other)


def test_an_administrator_signs_somebody_out(app: Flask) -> None:
    client, marty = person(app), person(app, "Marty")

    run(app, "user", "sign-out", "Doc")

    assert not signed_in(client)
    assert signed_in(marty)


PAGES = "/", "/clusters", "/review", "/review/rulings", "/events", "/import", "/docs", "/account"


@pytest.mark.parametrize("address", PAGES)
def test_each_page_lets_one_sign_out(app: Flask, address: str) -> None:
    client = person(app)

    page = client.get(address, headers={"Accept": "text/html"}).text

    assert 'action="/sign-out"' in page


def test_a_password_is_taken_as_it_was_typed(app: Flask) -> None:
    client = from_outside(app)
    typed = "  ÜBER den Wolken, 雲の上で  " + "x" * 60
    access.create_user("Doc", typed)

    page = client.get("/sign-in").text

    for wrong in (typed.strip(), typed.lower(), typed[:72], typed[:-1]):
        assert sign_in(client, wrong, "Doc").status_code == 401
    assert sign_in(client, typed, "Doc").status_code == 303
    (box,) = re.findall('<input[^>]*id="password"[^>]*>', page)
    assert 'type="password"' in box
    assert 'autocomplete="current-password"' in box
    assert "maxlength" not in box


def test_who_shares_a_password_changes_none(make: Make) -> None:
    client = from_outside(make(IDENTITY_PASSWORD=PASSWORD))
    sign_in(client, PASSWORD)

    page = client.get("/account")

    assert "IDENTITY_PASSWORD" in page.text
    assert "New password" not in page.text


def test_sessions_that_ended_are_taken_away(app: Flask) -> None:
    person(app)
    move(hours=13)

    sign_in(from_outside(app), PASSWORD, "Doc")

    (row,) = sessions()
    assert row.ends_at > datetime.now(UTC)


def test_over_https_no_other_site_can_have_set_the_cookie(make: Make) -> None:
    client = make(IDENTITY_PASSWORD=PASSWORD, TRUSTED_PROXIES="1").test_client()

    response = client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})

    told = response.headers["Set-Cookie"]
    assert told.startswith("__Host-identity=")
    assert {"Path=/", "Secure", "HttpOnly"} <= set(told.split("; "))
    assert "Domain" not in told
    lasts = "max-age=31536000; includeSubDomains"
    assert response.headers["Strict-Transport-Security"] == lasts


def test_once_callers_were_told_apart_revoking_the_last_key_opens_nothing(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/clusters").status_code == 200
    token = key(client, access.Scope.READ)

    access.revoke_key("shop")

    assert client.get("/lookup?phoneNumber=1", headers=bearing(token)).status_code == 401
    assert client.get("/lookup?phoneNumber=1").status_code == 401
    assert client.get("/clusters").location.startswith("/sign-in")
    assert "flask identity local" in client.get("/sign-in").text


def test_once_callers_were_told_apart_removing_the_last_user_opens_nothing(app: Flask) -> None:
    client = app.test_client()
    known(client)

    access.remove_user("Doc")

    assert client.get("/clusters").location.startswith("/sign-in")


def test_this_machine_is_let_in_again_by_a_command_only(app: Flask) -> None:
    client = app.test_client()
    key(client, access.Scope.READ)
    refused = run(app, "local")
    access.revoke_key("shop")

    done = run(app, "local")

    assert refused.exit_code == 6
    assert "Revoke all keys" in refused.output
    assert done.exit_code == 0
    assert client.get("/clusters").status_code == 200
    assert from_outside(app).get("/clusters").status_code == 403


def test_what_is_open_on_purpose_stays_open(make: Make) -> None:
    app = make(IDENTITY_OPEN="1")
    with app.app_context():
        access.create_key("shop", {access.Scope.READ})
        access.revoke_key("shop")

    assert from_outside(app).get("/clusters").status_code == 200
