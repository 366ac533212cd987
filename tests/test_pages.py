"""The pages, without a browser: what they show, and that reading never writes."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from identity.database import db
from identity.models import Contact
from tests.conftest import See


def folded(response: TestResponse) -> str:
    """Return the page with its white space folded."""
    return re.sub(r"\s+", " ", response.text)


def send(client: FlaskClient, button: str, email: str = "", phone: str = "") -> TestResponse:
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', client.get("/").text)
    assert token
    return client.post(
        "/",
        data={"csrf_token": token[1], "email": email, "phone_number": phone, button: button},
        follow_redirects=True,
        headers={"Accept": "text/html"},
    )


def stored() -> int:
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Contact)) or 0


def test_home_shows_the_form(client: FlaskClient) -> None:
    page = folded(client.get("/"))

    assert "Look up" in page
    assert "Submit" in page


def test_submitting_somebody_new_leads_to_the_customer(client: FlaskClient) -> None:
    response = send(client, "submit", "doc@hillvalley.edu", "555-4385")

    page = folded(response)
    assert response.request.path == "/clusters/1"
    assert "This is a new customer." in page
    assert "<h1>doc@hillvalley.edu · 5554385</h1>" in page
    assert "5554385" in page


def test_submitting_what_is_known_says_so(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "555-4385")

    assert "Nothing new" in folded(send(client, "submit", "doc@hillvalley.edu"))


def test_looking_up_one_customer_leads_there(client: FlaskClient, see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")

    response = send(client, "look_up", phone="123456")

    assert response.request.path == "/clusters/1"
    assert stored() == 1


def test_looking_up_nobody_writes_nothing_and_keeps_what_was_typed(client: FlaskClient) -> None:
    page = folded(send(client, "look_up", "doc@hillvalley.edu"))

    assert "Nobody by that email or phone number" in page
    assert 'value="doc@hillvalley.edu"' in page
    assert stored() == 0


def test_looking_up_two_customers_warns_of_the_merge(client: FlaskClient, see: See) -> None:
    see("george@hillvalley.edu", "919191")
    see("biffsucks@hillvalley.edu", "717171")

    page = folded(send(client, "look_up", "george@hillvalley.edu", "717171"))

    assert "Submitting would merge them. Customer 1 is older and stays primary" in page
    assert "1 contact moves over from customer 2" in page
    assert "biffsucks@hillvalley.edu" in page


def test_what_is_wrong_stands_beside_the_field(client: FlaskClient) -> None:
    response = send(client, "submit", "doc", "call me")

    assert response.status_code == 400
    page = folded(response)
    assert "email must be an address" in page
    assert "phoneNumber must hold digits" in page


def test_the_id_of_a_secondary_leads_to_its_primary(client: FlaskClient, see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")
    see("mcfly@hillvalley.edu", "123456")

    response = client.get("/clusters/2")

    assert (response.status_code, response.location) == (302, "/clusters/1?contact=2#contact-2")


def test_an_unknown_customer_is_a_page_that_helps(client: FlaskClient) -> None:
    response = client.get("/clusters/88", headers={"Accept": "text/html"})

    assert response.status_code == 404
    assert "There is no contact 88." in folded(response)


def test_what_customers_typed_is_shown_as_text(client: FlaskClient) -> None:
    page = folded(send(client, "submit", '"<script>alert(1)</script>"@hillvalley.edu'))

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("token", ["", "1955"])
def test_a_form_without_its_token_writes_nothing(app: Flask, token: str) -> None:
    response = app.test_client().post(
        "/",
        data={"email": "doc@hillvalley.edu", "submit": "Submit", "csrf_token": token},
        headers={"Accept": "text/html"},
    )

    assert response.status_code == 400
    page = folded(response)
    assert "press the button again" in page
    assert 'value="doc@hillvalley.edu"' in page
    assert stored() == 0
