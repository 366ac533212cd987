"""The page Review: what looks wrong, each with the ruling that fits, and with Fine."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity.identifiers import Kind, Value
from identity.reviewing import sweeping
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from tests.conftest import Make, See
from tests.pages import text

SHARED, OFFICE = "+16172531000", "office@hillvalley.edu"
MANY = 12
"""Strangers without a name who are too many for one value."""


def strangers(see: See, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        see(f"stranger{number}@hillvalley.edu", SHARED)


def sweep() -> None:
    assert sweeping.sweep(4).finished


def token(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def press(client: FlaskClient, page: TestResponse, action: str) -> TestResponse:
    """Press the first button whose form leads to an address that ends like this."""
    form = re.search(rf'action="([^"]*{action})"', page.text)
    assert form, action
    return client.post(
        form[1],
        data={"csrf_token": token(page)},
        follow_redirects=True,
        headers={"Accept": "text/html"},
    )


def count_in_menu(page: TestResponse) -> str | None:
    found = re.search(r'>Review <span class="count">([\d,]+)</span>', page.text)
    return found and found[1]


def test_nothing_to_look_at(client: FlaskClient) -> None:
    page = client.get("/review")

    assert "There is nothing of this kind to look at." in text(page)
    assert count_in_menu(page) is None


def test_what_is_found_is_counted_in_the_menu_and_shown(client: FlaskClient, see: See) -> None:
    strangers(see, MANY)
    sweep()

    page = client.get("/review")

    assert count_in_menu(page) == count_in_menu(client.get("/clusters")) == "1"
    assert f"{SHARED} is the phone number of 12 people" in text(page)
    assert "Given with stranger0@hillvalley.edu" in text(page)
    assert '<a class="button quiet small" href="/clusters/1">Open customer 1</a>' in page.text


def test_the_ruling_that_fits_is_one_click_away(client: FlaskClient, see: See) -> None:
    strangers(see, MANY)
    sweep()
    page = client.get("/review")

    found = re.search(r'<a class="button small" href="([^"]+)">(.*?)</a>', page.text)
    assert found
    plan = client.get(found[1])

    assert f"Let <bdi>{SHARED}</bdi> link nobody…" == found[2]
    assert "1 customer becomes 12" in text(plan)
    assert SHARED.strip("+") not in found[1]


def test_what_is_right_by_now_is_not_shown_though_nobody_swept(
    client: FlaskClient, see: See
) -> None:
    strangers(see, MANY)
    sweep()
    applying.rule(LinksNobody(Value(Kind.PHONE, SHARED)), Ordered("Doc"))

    assert "There is nothing of this kind to look at." in text(client.get("/review"))


def test_fine_is_remembered_with_who_said_it(client: FlaskClient, see: See) -> None:
    strangers(see, MANY)
    sweep()

    said = press(client, client.get("/review"), "/fine")

    assert "Fine, until there is twice as much of it." in text(said)
    assert count_in_menu(said) is None
    listed = client.get("/review/fine")
    assert f"{SHARED} is the phone number of 12 people Shared by many form" in text(listed)


@pytest.mark.parametrize("where", ["the notice", "the list"])
def test_fine_is_taken_back(client: FlaskClient, see: See, where: str) -> None:
    strangers(see, MANY)
    sweep()
    said = press(client, client.get("/review"), "/fine")

    again = press(client, said if where == "the notice" else client.get("/review/fine"), "/again")

    assert "It is among those to look at again." in text(again)
    assert count_in_menu(again) == "1"
    assert "Nobody has said so of anything yet." in text(client.get("/review/fine"))


def test_what_doubled_comes_back_and_says_who_said_fine(client: FlaskClient, see: See) -> None:
    strangers(see, MANY)
    sweep()
    press(client, client.get("/review"), "/fine")
    strangers(see, MANY, first=MANY)
    sweep()

    page = text(client.get("/review"))

    assert "of 24 people" in page
    assert "form said that it is fine" in page
    assert "of 12. It has doubled since." in page


def test_a_bridge_says_what_would_be_left(client: FlaskClient, see: See) -> None:
    for name in "abc":
        see(f"{name}@mcfly.edu", "555-0101")
    for name in "xyz":
        see(f"{name}@tannen.edu", "555-0202")
    see("a@mcfly.edu", "555-0202", source="till")
    sweep()

    page = client.get("/review?kind=bridge")

    assert "a@mcfly.edu and 5550202 were given together once" in text(page)
    assert (
        "Without that there would be two: 3 contacts (3 emails and 1 phone number), and "
        "3 contacts (3 emails and 1 phone number)."
    ) in text(page)
    assert "Take a@mcfly.edu and 5550202 apart…" in text(page)


def test_a_large_merge_leads_to_the_customer_and_to_taking_it_apart(
    client: FlaskClient, see: See
) -> None:
    see("lorraine@hillvalley.edu", "555-0101")
    for number in range(10):
        see(OFFICE, f"555-020{number}")
    see("lorraine@hillvalley.edu", "555-0200", source="till")
    sweep()

    page = client.get("/review?kind=large_merge")

    assert "10 contacts moved at once, from customer 2" in text(page)
    assert "till gave lorraine@hillvalley.edu and 5550200 together" in text(page)
    assert "Open customer 1" in text(page)
    assert "Take lorraine@hillvalley.edu and 5550200 apart…" in text(page)


def test_what_was_tried_again_leads_to_undoing_the_ruling(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "555-0101")
    see("doc@hillvalley.edu", "555-0202")
    one, other = Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "5550202")
    applying.rule(Apart(one, other), Ordered("Doc"))
    see("doc@hillvalley.edu", "555-0202", source="till")
    sweep()

    page = client.get("/review?kind=held_again")

    assert "Ruling 1 has held 1 telling since it was made" in text(page)
    assert "doc@hillvalley.edu and 5550202 are never the same customer's." in text(page)
    assert "Told again by till." in text(page)
    assert 'href="/review/rulings/1/undo"' in page.text


def test_numbers_but_for_the_country_code_lead_to_both_customers(
    client: FlaskClient, see: See
) -> None:
    see("doc@hillvalley.edu", "+1 617 253 1014")
    see("emmett@hillvalley.edu", "617-253-1014")
    sweep()

    page = client.get("/review?kind=country_code")

    assert "+16172531014 and 6172531014" in text(page)
    assert "They are those of customer 1 with 1 contact, and customer 2 with 1 contact." in text(
        page
    )
    for customer in (1, 2):
        assert f'href="/clusters/{customer}">Open customer {customer}</a>' in page.text
    adding = re.search(r'<a class="button small" href="(/add/[^"]+)">(.*?)</a>', page.text)
    assert adding
    assert "Merge 1 contact into customer 1" in text(client.get(adding[1]))


def test_what_was_told_and_not_looked_at_can_be_looked_at_now(
    client: FlaskClient, see: See
) -> None:
    assert "Not everything that was told" not in text(client.get("/review"))
    strangers(see, MANY)

    page = client.get("/review")
    assert "Not everything that was told is looked at yet." in text(page)
    looked = press(client, page, "/sweep")

    assert "Everything that was told until now is looked at." in text(looked)
    assert count_in_menu(looked) == "1"
    assert "Not everything" not in text(looked)


def test_more_than_a_page_is_turned_the_largest_first(client: FlaskClient, see: See) -> None:
    for number in range(21):
        for stranger in range(13 if number == 20 else 12):
            see(f"s{number}.{stranger}@hillvalley.edu", f"+1617253{1000 + number}")
    sweep()

    first = client.get("/review")
    link = re.search(r'href="([^"]+)">Next</a>', first.text)
    assert link
    second = client.get(link[1].replace("&amp;", "&"))

    assert count_in_menu(first) == "21"
    assert text(first).index("of 13 people") < text(first).index("of 12 people")
    assert first.text.count('<li class="card finding">') == 20
    assert second.text.count('<li class="card finding">') == 1
    assert "Next" not in text(second)


def test_what_makes_no_sense_in_the_address_counts_as_not_said(client: FlaskClient) -> None:
    assert client.get("/review?kind=nonsense&after=7&fine=8").status_code == 200
    assert client.get("/review/fine?before=7").status_code == 200
    for action in ("fine", "again"):
        at = f"/review/findings/7/{action}"
        page = client.get("/review/fine")
        answer = client.post(at, data={"csrf_token": token(page)}, headers={"Accept": "text/html"})
        assert answer.status_code == 404


def test_numbers_without_a_country_code_are_told_of_until_a_region_is_set(
    client: FlaskClient, see: See, make: Make
) -> None:
    see("doc@hillvalley.edu", "123456")
    assert "DEFAULT_PHONE_REGION" not in client.get("/review").text

    see("doc@hillvalley.edu", "617-253-1014")

    assert "1 phone number came without a country code" in text(client.get("/review"))
    with_region = make(DEFAULT_PHONE_REGION="US").test_client()
    assert "DEFAULT_PHONE_REGION" not in with_region.get("/review").text


def test_a_page_that_says_the_database_is_away_counts_nothing(app: Flask, make: Make) -> None:
    away = make(DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing").test_client()

    page = away.get("/review", headers={"Accept": "text/html"})

    assert page.status_code == 503
    assert count_in_menu(page) is None


@pytest.mark.parametrize("action", ["/fine", "/again", "/sweep"])
def test_a_button_that_was_open_for_too_long_leads_back_to_the_review(
    app: Flask, client: FlaskClient, see: See, action: str
) -> None:
    strangers(see, MANY)
    sweep()
    at = "/review/sweep" if action == "/sweep" else f"/review/findings/1{action}"

    page = app.test_client().post(at, follow_redirects=True, headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert page.request.path == "/review"
    assert "The page was open for too long. Try again." in text(page)
    assert count_in_menu(client.get("/review")) == "1"
