"""Adding a contact in the browser: what would happen is shown first, and then done as shown."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from identity.models import Claim, Contact
from tests.conftest import See
from tests.pages import PAGES, add, confirm, field, folded, look, search, text
from tests.tables import count


@pytest.fixture
def two(see: See) -> None:
    """George is customer 1, and Biff is customer 2."""
    see("george@hillvalley.edu", "919191")
    see("biffsucks@hillvalley.edu", "717171")


@pytest.fixture
def apart(client: FlaskClient, two: None) -> None:
    """Both, kept apart."""
    ruling = {
        "kind": "apart",
        "one": {"email": "george@hillvalley.edu"},
        "other": {"phoneNumber": "717171"},
    }
    assert client.post("/rulings", json=ruling).status_code == 201


@pytest.fixture
def shop_number(client: FlaskClient) -> None:
    """The shop's own phone number, which links nobody."""
    ruling = {"kind": "links_nobody", "value": {"phoneNumber": "717171"}}
    assert client.post("/rulings", json=ruling).status_code == 201


def test_somebody_new_is_announced_and_then_added(client: FlaskClient) -> None:
    seen = look(client, "doc@hillvalley.edu", "555-4385")
    assert count(Contact) == 0
    assert "Add 1 new customer" in text(seen)

    done = confirm(client, seen)

    assert done.request.path == "/clusters/1"
    assert "This is a new customer." in text(done)
    assert "doc@hillvalley.edu" in text(done)


def test_a_new_contact_shows_whose_it_becomes(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "555-4385")

    seen = look(client, "emmett@brown.org", "555-4385")

    assert "Customer 1" in text(seen)
    assert "doc@hillvalley.edu" in text(seen)
    assert "Add 1 contact to customer 1" in text(seen)
    assert "A new contact was added" in text(confirm(client, seen))


def test_what_is_known_leads_to_whom_it_is_and_has_no_button(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "555-4385", source="form")

    seen = look(client, "doc@hillvalley.edu")

    assert "Nothing new" in text(seen)
    assert 'href="/clusters/1"' in seen.text
    assert "Add 1" not in text(seen)


def test_a_pair_of_one_customer_is_a_link(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "555-4385")
    see("emmett@brown.org", "555-4385")
    see("emmett@brown.org", "555-1885")

    seen = look(client, "doc@hillvalley.edu", "555-1885")

    assert "Add 1 link to customer 1" in text(seen)
    assert "that they belong together is now on record" in text(confirm(client, seen))


@pytest.mark.usefixtures("two")
def test_a_merge_shows_both_customers_first(client: FlaskClient, see: See) -> None:
    see("tannen@hillvalley.edu", "717171")

    seen = look(client, "george@hillvalley.edu", "717171")

    page = text(seen)
    assert "This would merge two customers" in page
    assert "Customer 1 is older and stays; 2 contacts of customer 2 move over." in page
    assert "919191" in page
    assert "tannen@hillvalley.edu" in page
    assert "Merge 2 contacts into customer 1" in page
    assert count(Claim) == 3


@pytest.mark.usefixtures("two")
def test_after_a_merge_the_notice_offers_the_way_back(client: FlaskClient) -> None:
    done = add(client, "george@hillvalley.edu", "717171")

    page = folded(done)
    assert "Two customers turned out to be one, and are one now." in page
    way = page.split("are one now.")[1].split('"')[1]
    assert "Take apart into 2 customers" in text(client.get(way))


def test_a_button_pressed_twice_adds_once_and_leads_to_the_customer(client: FlaskClient) -> None:
    seen = look(client, "doc@hillvalley.edu", "555-4385")
    confirm(client, seen)
    told = count(Claim)

    again = confirm(client, seen)

    assert again.request.path == "/clusters/1"
    assert "Nothing new: all of this was already known." in text(again)
    assert count(Claim) == told


def test_what_is_known_is_not_said_to_join_strangers(client: FlaskClient) -> None:
    add(client, "doc@hillvalley.edu", "000")

    seen = look(client, "doc@hillvalley.edu", "000")

    assert "Nothing new" in text(seen)
    assert "strangers" not in text(seen)


@pytest.mark.usefixtures("two")
def test_what_became_a_merge_meanwhile_is_shown_again_and_not_done(
    client: FlaskClient, see: See
) -> None:
    seen = look(client, "george@hillvalley.edu", "555-0000")
    assert "Add 1 contact to customer 1" in text(seen)
    see("biffsucks@hillvalley.edu", "555-0000")
    told = count(Claim)

    again = confirm(client, seen)

    assert again.status_code == 409
    assert "Somebody changed these customers meanwhile. Nothing was done." in text(again)
    assert "Merge 2 contacts into customer 1" in text(again)
    assert count(Claim) == told
    assert "are one now" in text(confirm(client, again))


@pytest.mark.usefixtures("apart")
def test_two_who_are_kept_apart_are_not_merged(client: FlaskClient) -> None:
    seen = look(client, "george@hillvalley.edu", "717171")

    page = text(seen)
    assert "These are kept apart" in page
    assert "Merge" not in page
    assert "Both are on record, and a ruling keeps them apart." in text(confirm(client, seen))
    again = text(look(client, "george@hillvalley.edu", "717171"))
    assert "Both are on record." in again


@pytest.mark.usefixtures("shop_number")
def test_a_value_that_links_nobody_is_said_to(client: FlaskClient, see: See) -> None:
    see("george@hillvalley.edu", source="form")

    seen = look(client, "biff@hillvalley.edu", "717171")

    told = "The phone number links nobody, by a ruling, and counts as not given."
    assert told in text(seen)
    assert told in text(confirm(client, seen))


@pytest.mark.usefixtures("shop_number")
def test_with_nothing_left_the_field_says_why(client: FlaskClient) -> None:
    response = look(client, phone="717171")

    assert response.status_code == 400
    assert "phoneNumber links nobody, by a ruling." in text(response)
    assert field(response, "phone_number") == "717171"
    assert count(Contact) == 0


def test_what_strangers_share_is_said_before_one_more_is_joined(
    client: FlaskClient, see: See
) -> None:
    for number in range(12):
        see(f"{number}@crowd.example.com", "617-253-1014")

    page = text(look(client, "doc@hillvalley.edu", "617-253-1014"))

    assert "6172531014 stands there with 12 different emails." in page
    assert "Adding may join strangers. See what it means if it links nobody" in page
    assert "strangers" not in text(look(client, "4@crowd.example.com", "555-4385"))


def test_what_is_wrong_stands_beside_the_field(client: FlaskClient) -> None:
    response = look(client, "doc", "call me")

    assert response.status_code == 400
    assert "email must be an address" in text(response)
    assert "phoneNumber must hold digits" in text(response)


def test_what_customers_typed_is_shown_as_text(client: FlaskClient) -> None:
    evil = '"<script>alert(1)</script>"@hillvalley.edu'
    for page in (look(client, evil), add(client, evil), search(client, evil)):
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text.replace("<wbr>", "")


@pytest.mark.parametrize("token", ["", "1955"])
def test_a_form_without_its_token_writes_nothing(app: Flask, token: str) -> None:
    given = {"email": "doc@hillvalley.edu", "csrf_token": token}
    response = app.test_client().post("/add", data=given, headers=PAGES)

    assert response.status_code == 400
    assert "press the button again" in folded(response)
    assert field(response, "email") == "doc@hillvalley.edu"
    assert count(Contact) == 0


def test_a_confirmation_that_is_too_old_leads_to_the_preview_again(
    app: Flask, client: FlaskClient
) -> None:
    seen = look(client, "doc@hillvalley.edu")

    response = app.test_client().post(seen.request.path, follow_redirects=True, headers=PAGES)

    assert response.request.path == seen.request.path
    assert "The page was open for too long. Try again." in text(response)
    assert count(Contact) == 0


def test_no_address_holds_what_was_typed(client: FlaskClient) -> None:
    for response in (
        look(client, "doc@hillvalley.edu", "555-4385"),
        search(client, "doc@hillvalley.edu"),
        search(client, "555-4385"),
    ):
        assert "hillvalley" not in response.request.url
        assert "4385" not in response.request.url
