"""Forgetting on pages: from a customer's page, shown before it is done, and listed."""

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from identity import database
from identity.models import Contact
from tests import pages
from tests.conftest import See
from tests.pages import PAGES, field, folded, text


def emails() -> list[str | None]:
    with database.reading() as connection:
        return list(connection.scalars(select(Contact.email).order_by(Contact.id)))


def plan_all(client: FlaskClient, customer: int) -> TestResponse:
    """Say that all of a customer is the person's, and return the page of what would go."""
    page = f"/clusters/{customer}/forget"
    token = field(client.get(page, headers=PAGES), "csrf_token")
    return client.post(page, data={"csrf_token": token, "choosing": "1", "all": "1"}, headers=PAGES)


def planned(page: TestResponse) -> dict[str, Any]:
    """Return what the form sends that follows a plan."""
    chosen = re.findall(r'type="hidden" name="chosen" value="([^"]+)"', page.text)
    given = {name: field(page, name) for name in ("csrf_token", "plan")}
    return given | {"choosing": "1", "chosen": chosen}


def test_a_person_is_forgotten_from_the_customers_page(client: FlaskClient, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")
    see("doc@hillvalley.edu", "5554385")
    assert "/clusters/1/forget" in client.get("/clusters/1").text

    plan = plan_all(client, 2)
    assert "marty@hillvalley.edu" in text(plan)
    assert emails() == ["marty@hillvalley.edu", "doc@hillvalley.edu"]
    done = pages.send(client, "/clusters/2/forget", planned(plan) | {"reason": "Asked by letter."})

    assert emails() == [None, None]
    assert "Erasure 1" in folded(done)
    assert "Asked by letter." in done.text
    assert "nobody" in text(done)
    assert client.get("/clusters/1", headers=PAGES).status_code == 410
    listed = client.get("/review/erasures", headers=PAGES)
    assert "/review/erasures/1" in listed.text


def test_nothing_is_chosen_for_whoever_came_to_look(client: FlaskClient, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")
    see("doc@hillvalley.edu", "5554385")

    first = client.get("/clusters/1/forget", headers=PAGES)

    assert first.status_code == 200
    assert " checked" not in first.text
    assert "for ever" not in text(first)
    assert 'name="plan"' not in first.text


def test_of_a_single_identifier_it_is_shown_at_once_what_would_go(
    client: FlaskClient, see: See
) -> None:
    see("marty@hillvalley.edu")

    plan = client.get("/clusters/1/forget", headers=PAGES)
    given = {name: field(plan, name) for name in ("csrf_token", "plan")}
    pages.send(client, "/clusters/1/forget", given | {"reason": ""})

    assert emails() == [None]


def test_what_is_the_persons_is_chosen(client: FlaskClient, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")
    see("doc@hillvalley.edu", "5554385")
    first = client.get("/clusters/1/forget", headers=PAGES)
    names = re.findall(r'name="chosen" value="([^"]+)"', first.text)
    assert not any("@" in name for name in names)
    chosen = {"csrf_token": field(first, "csrf_token"), "choosing": "1", "chosen": [names[0]]}

    plan = client.post("/clusters/1/forget", data=chosen, headers=PAGES)
    assert emails() == ["marty@hillvalley.edu", "doc@hillvalley.edu"]
    given = chosen | {"plan": field(plan, "plan"), "reason": "marty@hillvalley.edu asked"}
    named = client.post("/clusters/1/forget", data=given, headers=PAGES)
    assert named.status_code == 400
    assert "reason must not name" in named.text
    pages.send(client, "/clusters/1/forget", given | {"reason": ""})

    assert emails() == [None, "doc@hillvalley.edu"]
    assert "customer 2" in text(client.get("/review/erasures/1", headers=PAGES))


def test_what_is_overtaken_is_shown_anew(client: FlaskClient, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")
    plan = plan_all(client, 1)
    see("doc@hillvalley.edu", "5554385")

    answer = client.post("/clusters/1/forget", data=planned(plan), headers=PAGES)

    assert answer.status_code == 409
    assert "Nothing was done" in answer.text
    assert "doc@hillvalley.edu" in text(answer)
    assert len(emails()) == 2


def test_nothing_chosen_is_said(client: FlaskClient, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")
    token = field(client.get("/clusters/1/forget", headers=PAGES), "csrf_token")

    answer = client.post(
        "/clusters/1/forget", data={"csrf_token": token, "choosing": "1"}, headers=PAGES
    )

    assert answer.status_code == 400
    assert "Choose what is the person" in folded(answer)


def test_nobody_was_forgotten_yet(client: FlaskClient) -> None:
    assert "Nobody was forgotten yet" in client.get("/review/erasures", headers=PAGES).text
    assert client.get("/review/erasures/7", headers=PAGES).status_code == 404
