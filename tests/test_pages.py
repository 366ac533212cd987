"""The pages, without a browser: what they show, and that reading never writes."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from identity.database import db
from identity.models import Contact
from identity.web import customer as one_customer
from tests.conftest import See
from tests.pages import folded, send, text


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


@pytest.fixture
def apart(client: FlaskClient, see: See) -> None:
    """George and Biff, who are kept apart."""
    see("george@hillvalley.edu", "919191")
    see("biffsucks@hillvalley.edu", "717171")
    ruling = {
        "kind": "apart",
        "one": {"email": "george@hillvalley.edu"},
        "other": {"phoneNumber": "717171"},
    }
    assert client.post("/rulings", json=ruling | {"reason": "Enemies."}).status_code == 201


@pytest.mark.usefixtures("apart")
def test_looking_up_two_who_are_kept_apart_speaks_of_no_merge(client: FlaskClient) -> None:
    response = send(client, "look_up", "george@hillvalley.edu", "717171")

    page = text(response)
    assert "These are kept apart" in page
    assert "The email is that of customer 1, the phone number that of customer 2." in page
    assert "would merge them" not in page


@pytest.mark.usefixtures("apart")
def test_submitting_two_who_are_kept_apart_says_so_each_time(client: FlaskClient) -> None:
    first = send(client, "submit", "george@hillvalley.edu", "717171")
    again = send(client, "submit", "george@hillvalley.edu", "717171")

    assert first.request.path == again.request.path == "/clusters/1"
    assert "Both are on record, and a ruling keeps them apart." in text(first)
    assert "Nothing new" in text(again)
    assert "A ruling keeps the phone number's customer apart from this one." in text(again)


@pytest.mark.usefixtures("apart")
def test_the_page_of_a_customer_tells_what_is_kept_apart_from_it(client: FlaskClient) -> None:
    send(client, "submit", "george@hillvalley.edu", "717171")

    for customer, other in ((1, 2), (2, 1)):
        page = folded(client.get(f"/clusters/{customer}"))
        assert '<h2 id="held">Kept apart</h2>' in page
        assert f'<a href="/clusters/{other}">customer {other}</a>' in page
    assert "Kept apart" not in text(client.get("/clusters?order=largest"))


@pytest.mark.usefixtures("apart")
def test_the_activity_tells_of_rulings(client: FlaskClient) -> None:
    page = text(client.get("/events?kind=ruled"))

    assert (
        "Ruling 1 was applied: two identifiers are never of one customer, because “Enemies.”."
    ) in page


@pytest.fixture
def shop_number(client: FlaskClient, see: See) -> None:
    """The shop's own phone number, which links nobody."""
    ruling = {"kind": "links_nobody", "value": {"phoneNumber": "717171"}}
    assert client.post("/rulings", json=ruling).status_code == 201


@pytest.mark.usefixtures("shop_number")
@pytest.mark.parametrize("button", ["look_up", "submit"])
def test_a_value_that_links_nobody_is_said_to(client: FlaskClient, see: See, button: str) -> None:
    see("george@hillvalley.edu")

    response = send(client, button, "george@hillvalley.edu", "717171")

    assert response.request.path == "/clusters/1"
    assert "The phone number links nobody, by a ruling, and counts as not given." in text(response)
    assert "71" not in text(response).split("Links nobody")[0]


@pytest.mark.usefixtures("shop_number")
@pytest.mark.parametrize("button", ["look_up", "submit"])
def test_with_nothing_left_the_field_says_why(client: FlaskClient, button: str) -> None:
    response = send(client, button, phone="717171")

    assert response.status_code == 400
    assert "phoneNumber links nobody, by a ruling." in text(response)
    assert "makes it a new customer" not in text(response)
    assert 'value="717171"' in response.text
    assert stored() == 0


def test_what_others_call_a_customer_is_on_its_page(client: FlaskClient) -> None:
    body = {"email": "mcfly@hillvalley.edu", "reference": "<R-88>", "name": "Calvin Klein"}
    client.post("/identify", json=body)
    client.post("/identify", json=body | {"reference": None, "name": "Marty"})

    page = text(client.get("/clusters/1"))

    assert "What others call this customer" in page
    assert "api <R-88> Calvin Klein" in page
    assert "api – Marty" in page


def test_long_lists_of_names_are_cut(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_customer, "SHOWN", 1)
    for name in "Marty", "Calvin":
        client.post("/identify", json={"email": "mcfly@hillvalley.edu", "name": name})

    table = slice(text(client.get("/clusters/1")).index("What others call"), None)
    assert "The first 1 of 2." in text(client.get("/clusters/1"))
    assert "Marty" not in text(client.get("/clusters/1"))[table]
    assert "Marty" in text(client.get("/clusters/1?all=1"))[table]


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
