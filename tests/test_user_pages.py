"""Users in a browser: listed, let in, given another role and removed, by administrators."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity import access
from identity.access import Role
from tests.callers import PASSWORD, from_outside, person, sign_in
from tests.pages import PAGES, field, text


@pytest.fixture
def doc(app: Flask) -> FlaskClient:
    """The browser of an administrator."""
    return person(app, "Doc", Role.ADMINISTRATOR)


def send(client: FlaskClient, address: str, **given: str) -> TestResponse:
    given["csrf_token"] = field(client.get("/users"), "csrf_token")
    return client.post(address, data=given, headers=PAGES, follow_redirects=True)


def roles() -> dict[str, Role]:
    return {each.name: each.role for each in access.users_by_name()}


def test_somebody_is_let_in_given_another_role_and_removed(app: Flask, doc: FlaskClient) -> None:
    made = send(doc, "/users", user="Marty", password=PASSWORD, role="viewer")
    assert "The user may sign in." in made.text
    marty = from_outside(app)
    assert sign_in(marty, PASSWORD, "Marty").status_code == 303
    assert marty.get("/import").status_code == 403

    given = send(doc, "/users/role", name="Marty", role="steward")
    assert "Marty is a steward now." in given.text
    assert marty.get("/import").status_code == 200

    gone = send(doc, "/users/removal", name="Marty")
    assert "may sign in no more" in gone.text
    assert marty.get("/").status_code == 303
    assert roles() == {"Doc": Role.ADMINISTRATOR}
    trail = text(doc.get("/audit", headers=PAGES))
    for told in (
        "Doc Created a user Marty",
        "Doc Changed a role Marty",
        "Doc Removed a user Marty",
    ):
        assert told in trail


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"user": "Doc", "password": PASSWORD}, "There is a user Doc already."),
        ({"user": "doc@hillvalley.edu", "password": PASSWORD}, "no colon and no @"),
        ({"user": "Marty", "password": "short"}, "at least 12 characters"),
        ({"user": "Marty", "password": PASSWORD, "role": "king"}, "That is no role."),
    ],
)
def test_what_is_wrong_stands_on_the_page(
    doc: FlaskClient, given: dict[str, str], sentence: str
) -> None:
    page = send(doc, "/users", **{"role": "viewer"} | given)

    assert page.status_code == 400
    assert sentence in page.text
    assert roles() == {"Doc": Role.ADMINISTRATOR}


@pytest.mark.parametrize("address", ["/users/role", "/users/removal"])
def test_nobody_shuts_themselves_out(doc: FlaskClient, address: str) -> None:
    page = send(doc, address, name="Doc", role="viewer")

    assert page.status_code == 400
    assert "another administrator may" in page.text
    assert "Remove Doc" not in doc.get("/users").text
    assert roles() == {"Doc": Role.ADMINISTRATOR}


@pytest.mark.parametrize(
    ("address", "given", "status"),
    [
        ("/users/role", {"name": "Biff", "role": "viewer"}, 404),
        ("/users/role", {"name": "\0", "role": "viewer"}, 404),
        ("/users/role", {"name": "Biff", "role": "king"}, 400),
        ("/users/removal", {"name": "Biff"}, 404),
        ("/users/removal", {}, 404),
    ],
)
def test_who_is_not_there_is_a_page_that_says_so(
    doc: FlaskClient, address: str, given: dict[str, str], status: int
) -> None:
    assert send(doc, address, **given).status_code == status


def test_a_button_that_was_open_for_too_long_leads_back(doc: FlaskClient) -> None:
    page = doc.post("/users/removal", data={"name": "Doc"}, follow_redirects=True, headers=PAGES)

    assert page.request.path == "/users"
    assert "open for too long" in page.text


def test_the_first_user_is_told_what_follows(client: FlaskClient) -> None:
    assert "From the first one on, everybody signs in" in client.get("/users").text

    send(client, "/users", user="Doc", password=PASSWORD, role="administrator")

    assert client.get("/").location.startswith("/sign-in")
    assert sign_in(client, PASSWORD, "Doc").status_code == 303
    assert client.get("/users").status_code == 200
