"""What people may do: a page offers it to whoever may, and to nobody else."""

import re
from contextlib import closing
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from identity import access
from identity.access import Role
from identity.identifiers import Kind, Value
from identity.reviewing import sweeping
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.web.callers import Caller
from identity.web.marks import May
from tests.bringing import as_file, bring
from tests.callers import PASSWORD, from_outside, person, sign_in
from tests.conftest import Make, See
from tests.pages import PAGES
from tests.terminal import run

ENOUGH = 60
"""Pages to walk through."""


class Offers(HTMLParser):
    """What a page leads to: addresses, and the methods by which they are asked."""

    def __init__(self, here: str, page: str) -> None:
        super().__init__()
        self.here = here
        self.found: set[tuple[str, str]] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and (given.get("href") or "#").startswith("/"):
            self.found.add(("GET", str(given["href"]).partition("#")[0]))
        if tag == "form":
            self.found.add(
                ((given.get("method") or "get").upper(), given.get("action") or self.here)
            )


@pytest.fixture
def town(app: Flask, see: See) -> None:
    """Customers with everything that a page could make an offer for."""
    for n in range(5):
        see(f"p{n}@hillvalley.edu", "555-0000")
    see("doc@hillvalley.edu", "555-4385")
    see("emmett@brown.org", "555-4385")
    see("emmett@brown.org", "555-1885")
    bring(as_file([("clara@hillvalley.edu", "555-1885", "", ""), ("no email", "", "", "")]))
    ordered = Ordered("Doc", "for a reason")
    doc, clara = (Value(Kind.EMAIL, f"{n}@hillvalley.edu") for n in ("doc", "clara"))
    applying.rule(Apart(doc, clara), ordered)
    undone, _ = applying.rule(LinksNobody(Value(Kind.PHONE, "1885")), ordered)
    applying.withdraw(undone.id, ordered)
    see("clara@hillvalley.edu", "555-4385")
    sweeping.sweep(4)


def walk(client: FlaskClient) -> dict[tuple[str, str], str]:
    """Follow what pages offer, and return each offer with the page that makes it."""
    offers: dict[tuple[str, str], str] = {}
    seen: set[str] = set()
    ahead = ["/"]
    while ahead and len(seen) < ENOUGH:
        here = ahead.pop(0)
        with closing(client.get(here, headers=PAGES)) as response:
            is_page = response.mimetype == "text/html"
            found = Offers(here, response.text).found if is_page else set()
        seen.add(here)
        for method, address in sorted(found):
            offers.setdefault((method, address), here)
            # Of those that differ in their query, two are enough to know the page.
            alike = [each for each in {*seen, *ahead} if same_place(each, address)]
            if method == "GET" and address not in {*seen, *ahead} and len(alike) < 2:
                ahead.append(address)
    return offers


def same_place(one: str, other: str) -> bool:
    return re.sub(r"\d+|\?.*", "", one) == re.sub(r"\d+|\?.*", "", other)


def needed(app: Flask, method: str, address: str) -> May:
    endpoint, _ = app.url_map.bind("").match(address.partition("?")[0], method)
    may: May = getattr(app.view_functions[endpoint], "may", May.ANYONE)
    return may


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("role", Role)
def test_pages_offer_what_one_may_do_and_nothing_else(app: Flask, role: Role) -> None:
    client = person(app, "Doc", role)

    offers = walk(client)

    told = {offer: needed(app, *offer) for offer in offers}
    assert len(told) > 30
    caller = Caller("Doc", role=role)
    wrong = {(*offer, offers[offer]) for offer, may in told.items() if not caller.may(may)}
    assert wrong == set()
    assert (May.RULE in told.values()) == (role is not Role.VIEWER)
    assert (May.ADMINISTER in told.values()) == (role is Role.ADMINISTRATOR)
    every = {"/clusters/1", "/clusters/6", "/review", "/review/rulings", "/events", "/imports/1"}
    assert every <= {address for _, address in told}


@pytest.mark.usefixtures("town")
def test_who_may_not_is_told_who_may(app: Flask) -> None:
    client = person(app, "Marty", Role.VIEWER)

    response = client.get("/import", headers=PAGES)

    assert response.status_code == 403
    assert "for stewards and administrators, and you are a viewer" in response.text
    assert client.get("/audit").get_json()["error"].startswith("This is for administrators")
    assert client.get("/").status_code == 200


def test_another_role_holds_from_the_next_request_on(app: Flask) -> None:
    client = person(app, "Marty", Role.VIEWER)
    assert client.get("/import").status_code == 403

    run(app, "user", "role", "Marty", "steward")
    assert client.get("/import").status_code == 200

    run(app, "user", "role", "Marty", "viewer")
    assert client.get("/import").status_code == 403
    assert "Marty\tviewer\t" in run(app, "user", "list").output


def test_a_user_is_a_steward_unless_said_otherwise(app: Flask) -> None:
    run(app, "user", "create", "Doc", "--password", PASSWORD)
    run(app, "user", "create", "Marty", "--password", PASSWORD, "--role", "viewer")

    assert [each.role for each in access.users_by_name()] == [Role.STEWARD, Role.VIEWER]


@pytest.mark.parametrize("role", Role)
def test_the_password_of_the_environment_has_the_role_that_is_set(make: Make, role: Role) -> None:
    client = from_outside(make(IDENTITY_PASSWORD=PASSWORD, IDENTITY_PASSWORD_ROLE=role.value))

    sign_in(client, PASSWORD)

    statuses = [client.get(address).status_code for address in ("/", "/import", "/audit")]
    assert statuses == [200 if role.includes(each) else 403 for each in Role]


def test_who_has_not_signed_in_yet_is_led_there(make: Make) -> None:
    client = from_outside(make(IDENTITY_PASSWORD=PASSWORD))

    page = client.get("/docs", headers=PAGES).text

    assert 'href="/clusters"' in page
    assert "/import" not in page
    assert "Sign out" not in page
    assert client.get("/clusters").location == "/sign-in?to=/clusters"


def test_every_address_that_a_test_walks_to_is_one_of_ours(app: Flask) -> None:
    with pytest.raises(HTTPException):
        needed(app, "GET", "/nowhere")
