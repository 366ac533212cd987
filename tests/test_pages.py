"""The pages, without a browser: what they show, and that reading never writes."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from identity.database import db
from identity.models import Contact
from tests.conftest import See

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Page(HTMLParser):
    """A page, and what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert self.open == [], f"not closed: {self.open}"
        assert len(self.texts.get("h1", [])) == 1, "a page has one h1"
        assert self.texts["title"][0].startswith(self.texts["h1"][0]), "the title matches the h1"
        assert len(self.ids) == len(set(self.ids)), "ids are unique"
        for field in self.fields:
            assert field["type"] in ("hidden", "submit") or field.get("id") in self.labelled

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert "style" not in given
        assert not any(name.startswith("on") for name in given), "no inline script"
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label":
            self.labelled.add(str(given["for"]))
        if tag == "input":
            self.fields.append(given)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data.strip("\n")


def linted(response: TestResponse) -> str:
    """Return the page's text, having looked for what every page must and must not have."""
    Page(response.text)
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
    page = linted(client.get("/"))

    assert "Look up" in page
    assert "Submit" in page


def test_submitting_somebody_new_leads_to_the_customer(client: FlaskClient) -> None:
    response = send(client, "submit", "doc@hillvalley.edu", "555-4385")

    page = linted(response)
    assert response.request.path == "/clusters/1"
    assert "This is a new customer." in page
    assert "<h1>doc@hillvalley.edu · 5554385</h1>" in page
    assert "5554385" in page


def test_submitting_what_is_known_says_so(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "555-4385")

    assert "Nothing new" in linted(send(client, "submit", "doc@hillvalley.edu"))


def test_looking_up_one_customer_leads_there(client: FlaskClient, see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")

    response = send(client, "look_up", phone="123456")

    assert response.request.path == "/clusters/1"
    assert stored() == 1


def test_looking_up_nobody_writes_nothing_and_keeps_what_was_typed(client: FlaskClient) -> None:
    page = linted(send(client, "look_up", "doc@hillvalley.edu"))

    assert "Nobody by that email or phone number" in page
    assert 'value="doc@hillvalley.edu"' in page
    assert stored() == 0


def test_looking_up_two_customers_warns_of_the_merge(client: FlaskClient, see: See) -> None:
    see("george@hillvalley.edu", "919191")
    see("biffsucks@hillvalley.edu", "717171")

    page = linted(send(client, "look_up", "george@hillvalley.edu", "717171"))

    assert "Submitting would merge them. Customer 1 is older and stays primary" in page
    assert "1 contact moves over from customer 2" in page
    assert "biffsucks@hillvalley.edu" in page


def test_what_is_wrong_stands_beside_the_field(client: FlaskClient) -> None:
    response = send(client, "submit", "doc", "call me")

    assert response.status_code == 400
    page = linted(response)
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
    assert "There is no contact 88." in linted(response)


def test_what_customers_typed_is_shown_as_text(client: FlaskClient) -> None:
    page = linted(send(client, "submit", '"<script>alert(1)</script>"@hillvalley.edu'))

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
    page = linted(response)
    assert "press the button again" in page
    assert 'value="doc@hillvalley.edu"' in page
    assert stored() == 0
