"""The pages, without a browser: what they show, and that reading never writes."""

import pytest
from flask.testing import FlaskClient

from identity.web.pages import customer as one_customer
from tests.conftest import See
from tests.pages import add, folded, text


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
def test_the_page_of_a_customer_tells_what_is_kept_apart_from_it(client: FlaskClient) -> None:
    add(client, "george@hillvalley.edu", "717171")

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
    page = folded(add(client, '"<script>alert(1)</script>"@hillvalley.edu'))

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
