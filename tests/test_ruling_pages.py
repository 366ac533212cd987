"""Rulings in a browser: previewed, applied as shown, listed, looked for, and undone."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity.identifiers import Kind, Value
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn, ImportWithdrawn, LinksNobody, What
from identity.web.pages import previews
from tests.conftest import See
from tests.pages import folded, text

HTML = {"Accept": "text/html"}
MARTY, CALVIN = "marty@hillvalley.edu", "calvin@hillvalley.edu"
PHONE = Value(Kind.PHONE, "5551985")


def email(address: str) -> Value:
    return Value(Kind.EMAIL, address)


@pytest.fixture
def town(see: See) -> None:
    """Marty and Calvin are customer 1, by one phone number; Doc is customer 3."""
    see(MARTY, "555-1985")
    see(CALVIN, "555-1985")
    see("doc@hillvalley.edu", "555-4385")


def address(app: Flask, what: What, back: str | None = None) -> str:
    with app.test_request_context():
        return previews.address(what, back)


def token(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def form(page: TestResponse) -> dict[str, str]:
    """What the form of a preview would send."""
    inside = page.text[page.text.index('<form class="card ruling"') :]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside))


def button(page: TestResponse) -> str:
    found = re.search(r'<button class="button">(.*?)</button>\s*<a class="button quiet"', page.text)
    assert found
    return re.sub("<[^>]+>", "", found[1])


def press(client: FlaskClient, at: str, **more: str) -> TestResponse:
    """Open a preview and press its button."""
    page = client.get(at, headers=HTML)
    assert page.status_code == 200
    return client.post(at, data=form(page) | more, headers=HTML)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("what", "says", "heading"),
    [
        (Apart(email(MARTY), PHONE), "Take apart into 2 customers", "Take apart"),
        (Apart(email(MARTY), email(CALVIN)), "Take apart into 2 customers", "Take apart"),
        (
            LinksNobody(PHONE),
            "Let 5551985 link nobody: 1 customer becomes 2",
            "Links nobody",
        ),
        (
            ClaimWithdrawn("doc@hillvalley.edu", "5554385", None),
            "Count it as not told: 1 customer ceases",
            "Not told",
        ),
        (Apart(email(MARTY), email("doc@hillvalley.edu")), "Keep these two apart", "Keep apart"),
    ],
)
def test_a_button_names_its_effect_and_its_number(
    app: Flask, client: FlaskClient, what: What, says: str, heading: str
) -> None:
    page = client.get(address(app, what))

    assert button(page) == says
    assert f"<h1>{heading}</h1>" in page.text


@pytest.mark.usefixtures("town")
def test_a_preview_shows_customers_before_and_after(app: Flask, client: FlaskClient) -> None:
    page = text(client.get(address(app, Apart(email(MARTY), email(CALVIN)))))

    before, after = page[page.index("Before") : page.index("After")], page[page.index("After") :]
    assert "Customer 1" in before
    assert "2 contacts" in before
    assert "Customer 1" in after
    assert "Customer 2" in after
    assert "Customers1 → 2" in re.sub(r"\s*→\s*", " → ", page.replace("Customers ", "Customers"))


@pytest.mark.usefixtures("town")
def test_what_names_people_is_in_no_address(app: Flask, client: FlaskClient) -> None:
    at = address(app, Apart(email(MARTY), PHONE))

    response = press(client, at)

    for each in (at, response.location):
        assert "hillvalley" not in each
        assert "5551985" not in each


@pytest.mark.usefixtures("town")
def test_a_ruling_is_applied_as_shown_and_undone_at_once(app: Flask, client: FlaskClient) -> None:
    response = press(client, address(app, Apart(email(MARTY), PHONE)), reason="Two people.")
    assert (response.status_code, response.location) == (303, "/clusters/1")
    page = client.get("/clusters/1")
    assert "Done: 1 customer becomes 2." in text(page)
    assert 'action="/review/rulings/1/undo"' in page.text
    assert client.get("/clusters/1.json").json["contact"]["phoneNumbers"] == []  # type: ignore[index]

    undone = client.post("/review/rulings/1/undo", data={"csrf_token": token(page)}, headers=HTML)

    assert (undone.status_code, undone.location) == (303, "/clusters/1")
    assert "Ruling 1 is undone: 2 customers become 1." in text(client.get("/clusters/1"))
    assert client.get("/clusters/2").location == "/clusters/1?contact=2#contact-2"


@pytest.mark.usefixtures("town")
def test_who_works_through_the_review_comes_back_to_it(app: Flask, client: FlaskClient) -> None:
    response = press(client, address(app, LinksNobody(PHONE), back="/review?kind=shared"))

    assert response.location == "/review?kind=shared"


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("back", "shown"),
    [
        ("/clusters/3?at=e3", "/clusters/3?at=e3"),
        ("//evil.example", "/review/rulings"),
        ("/\\evil.example", "/review/rulings"),
        ("https://evil.example/", "/review/rulings"),
        ("", "/review/rulings"),
    ],
)
def test_cancel_leads_back_and_to_no_other_site(
    app: Flask, client: FlaskClient, back: str, shown: str
) -> None:
    page = client.get(address(app, LinksNobody(PHONE), back=back))

    assert f'<a class="button quiet" href="{shown}">Cancel</a>' in page.text


@pytest.mark.usefixtures("town")
def test_cancel_leads_to_where_one_came_from(app: Flask, client: FlaskClient) -> None:
    page = client.get(
        address(app, LinksNobody(PHONE)), headers={"Referer": "http://localhost/clusters/1?at=p1"}
    )

    assert 'href="/clusters/1?at=p1">Cancel</a>' in page.text


@pytest.mark.usefixtures("town")
def test_an_overtaken_plan_is_not_applied_and_the_new_one_is_shown(
    app: Flask, client: FlaskClient, see: See
) -> None:
    at = address(app, LinksNobody(PHONE))
    sent = form(client.get(at))
    see("clint@hillvalley.edu", "555-1985")

    response = client.post(at, data=sent | {"reason": "Nobody's."}, headers=HTML)

    assert response.status_code == 409
    assert "Somebody changed these customers meanwhile. Nothing was done." in text(response)
    assert "Let 5551985 link nobody: 1 customer becomes 3" in text(response)
    assert "Nobody&#39;s.</textarea>" in response.text
    assert len(client.get("/clusters/1.json").json["contacts"]) == 3  # type: ignore[index]
    assert client.post(at, data=form(response), headers=HTML).status_code == 303


@pytest.mark.usefixtures("town")
def test_the_same_ruling_twice_leads_to_the_first(app: Flask, client: FlaskClient) -> None:
    at = address(app, LinksNobody(PHONE))
    press(client, at)

    page = client.get(at, headers=HTML)

    assert page.status_code == 409
    assert 'href="/review/rulings/1">Look at ruling 1</a>' in folded(page)


@pytest.mark.usefixtures("town")
def test_what_is_not_on_record_says_so_and_leads_on(app: Flask, client: FlaskClient) -> None:
    nobody = client.get(address(app, Apart(email(MARTY), email("no@body.example"))), headers=HTML)
    nothing = client.get(address(app, ImportWithdrawn(88)), headers=HTML)

    assert nobody.status_code == nothing.status_code == 404
    assert "No customer has the identifier named as other." in text(nobody)
    assert ">Back</a>" in nobody.text


def test_an_address_that_is_not_complete_says_so(client: FlaskClient) -> None:
    page = client.get("/review/plan/gAAAAA", headers=HTML)

    assert page.status_code == 404
    assert "This address is not complete, or no longer good." in text(page)


@pytest.mark.usefixtures("town")
def test_a_ruling_about_nobody_now_prevents(app: Flask, client: FlaskClient) -> None:
    at = address(app, LinksNobody(Value(Kind.PHONE, "0000000000")))

    assert "It changes nobody now; it prevents." in text(client.get(at))
    response = press(client, at)

    assert response.location == "/review/rulings/1"
    page = text(client.get("/review/rulings/1"))
    assert "Done: nobody changed." in page
    assert "It changed nobody when it was applied; it prevents." in page


@pytest.mark.usefixtures("town")
def test_a_reason_that_cannot_be_kept_is_told_beside_its_field(
    app: Flask, client: FlaskClient
) -> None:
    response = press(client, address(app, LinksNobody(PHONE)), reason="x" * 1001)

    assert response.status_code == 400
    assert "reason must be at most 1000 characters long." in text(response)
    assert 'aria-invalid="true"' in response.text


@pytest.mark.usefixtures("town")
def test_a_form_that_is_too_old_leads_to_a_fresh_one(app: Flask, client: FlaskClient) -> None:
    at = address(app, LinksNobody(PHONE), back="/clusters/1")

    response = client.post(at, data={}, headers=HTML)

    assert (response.status_code, response.location) == (303, at)
    assert "The page was open for too long. Try again." in text(client.get(at))


@pytest.mark.usefixtures("town")
def test_undoing_is_previewed_too(app: Flask, client: FlaskClient) -> None:
    press(client, address(app, Apart(email(MARTY), PHONE)))

    page = client.get("/review/rulings/1/undo")
    response = press(client, "/review/rulings/1/undo", reason="They are one.")

    assert button(page) == "Undo ruling 1: 2 customers become 1"
    assert response.location == "/clusters/1"
    assert "Undone by" in text(client.get("/review/rulings/1"))
    assert "They are one." in text(client.get("/review/rulings/1"))


@pytest.mark.usefixtures("town")
def test_undoing_twice_says_that_it_is_undone(app: Flask, client: FlaskClient) -> None:
    press(client, address(app, Apart(email(MARTY), PHONE)))
    sent = form(client.get("/review/rulings/1/undo"))
    client.post("/review/rulings/1/undo", data=sent)

    again = client.post("/review/rulings/1/undo", data=sent, headers=HTML)

    assert again.status_code == 409
    assert "Ruling 1 is withdrawn already." in text(again)
    assert 'href="/review/rulings/1">Look at ruling 1</a>' in folded(again)


def test_a_ruling_that_is_none_is_not_found(client: FlaskClient) -> None:
    for path in ("/review/rulings/8", "/review/rulings/8/undo"):
        assert client.get(path, headers=HTML).status_code == 404


def search(client: FlaskClient, part: str, **chosen: str) -> TestResponse:
    page = client.get("/review/rulings")
    data = {"csrf_token": token(page), "part": part} | chosen
    response = client.post("/review/rulings", data=data)
    assert len(part) < 4 or part not in urlsplit(response.location).query
    return client.get(response.location)


def listed(page: TestResponse) -> list[int]:
    return [
        int(id_) for id_ in re.findall(r'class="number"><a href="/review/rulings/(\d+)"', page.text)
    ]


@pytest.fixture
def rulings(town: None, app: Flask) -> None:
    said: list[tuple[What, Any]] = [
        (Apart(email(MARTY), email(CALVIN)), Ordered("Doc", "Not the same boy.")),
        (LinksNobody(Value(Kind.PHONE, "6172531014")), Ordered("Lorraine")),
        (LinksNobody(Value(Kind.EMAIL, "jürgen@hillvalley.edu")), Ordered("import:7")),
    ]
    with app.app_context():
        for what, ordered in said:
            applying.rule(what, ordered)
        applying.withdraw(3, Ordered("Doc", "He exists."))


@pytest.mark.usefixtures("rulings")
@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("MARTY@hill", [1]),
        ("617-253-10", [2]),
        ("jürgen", [3]),
        ("lorraine", [2]),
        ("lorr\0aine\x1b", [2]),
        ("same boy", [1]),
        ("he exists", [3]),
        ("doc", [3, 1]),
        ("2", [2]),
        ("100%", []),
    ],
)
def test_rulings_are_found_by_what_they_name_who_made_them_and_why(
    client: FlaskClient, part: str, found: list[int]
) -> None:
    assert listed(search(client, part)) == found
    if not found:
        assert "No ruling says" in text(search(client, part))


@pytest.mark.usefixtures("rulings")
def test_rulings_are_listed_by_kind_and_whether_they_stand(client: FlaskClient) -> None:
    assert listed(client.get("/review/rulings")) == [3, 2, 1]
    assert listed(client.get("/review/rulings?kind=links_nobody")) == [3, 2]
    assert listed(client.get("/review/rulings?kind=links_nobody&standing=standing")) == [2]
    assert listed(client.get("/review/rulings?standing=undone")) == [3]
    assert listed(client.get("/review/rulings?kind=x&standing=y&before=" + "9" * 30)) == [3, 2, 1]
    assert listed(search(client, "doc", standing="undone")) == [3]
    page = folded(client.get("/review/rulings"))
    assert 'href="/review/rulings/1/undo">Undo…' in page
    assert 'href="/review/rulings/3/undo">' not in page
    assert 'href="/imports/7">import 7</a>' in page


def test_a_page_of_rulings_is_followed_by_older_ones(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        for number in range(27):
            applying.rule(LinksNobody(Value(Kind.PHONE, f"55500{number:02}")), Ordered("Doc"))

    first = client.get("/review/rulings")
    older = re.search(r'<a href="([^"]+)">Older</a>', first.text)

    assert older
    assert listed(first) == list(range(27, 2, -1))
    assert listed(client.get(older[1])) == [2, 1]


def test_with_no_rulings_the_page_says_where_they_come_from(client: FlaskClient) -> None:
    assert "Nothing has been ruled yet." in text(client.get("/review/rulings"))
