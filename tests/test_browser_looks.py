"""Every page in a real browser: as wide as the screen, light and dark, on paper, by keyboard."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, url_for
from playwright.sync_api import Page, expect

from identity.erasing import applying as erasing
from identity.erasing.reach import Wanted
from identity.identifiers import Kind, Value, parse_one
from identity.importing import register
from identity.reviewing import sweeping
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.web.pages import previews, sealed
from identity.web.pages.adding import ADDING
from identity.web.pages.searching import SEARCH
from identity.webhooks import register as webhooks
from identity.webhooks.addresses import Rules
from identity.webhooks.delivering import Deliverer
from tests.bringing import bring
from tests.conftest import See
from tests.pages import field, send
from tests.receiving import receiving

pytestmark = pytest.mark.browser

LONG = "x" * 60 + "@" + ".".join(["y" * 60] * 3) + ".example"
SCRIPT = '"<script>alert(1)</script>"@hillvalley.edu'
DOC, MARTY = "doc@hillvalley.edu", "marty@hillvalley.edu"
FILE = b"email,phone\nlorraine@hillvalley.edu,123456\nnobody,1\n" + b"".join(
    b"stranger%d@hillvalley.edu,0000000000\n" % number for number in range(30)
)
ADDRESSES = [
    *("/", "/add", "/import", "/imports/1", "/imports/2", "/clusters", "/clusters?order=largest"),
    *("/audit", "/users", "/account"),
    *("/events", "/events?source=import:1", "/events?kind=held&day=1985-10-26"),
    *("/clusters/1", "/clusters/1?at=e1&and=e2", "/clusters/1?link=e1.p1", "/clusters/404"),
    *("/review", "/review?kind=shared", "/review/fine", "/review/rulings", "/review/rulings/1"),
    *("/review/rulings/1/undo", "/docs", "/clusters/1/access", "/clusters/1/forget"),
    *("/review/erasures", "/review/erasures/1", "/webhooks", "/webhooks/1", "/report"),
]
KEY, HERE = "hello, McFly", Rules(insecure=True)


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def pages(app: Flask, see: See) -> list[str]:
    """The addresses of a house in which everything has happened."""
    see(MARTY, "555-1985")
    see("calvin@hillvalley.edu", "555-1985", source="checkout")
    see("calvin@hillvalley.edu", "555-1955")
    see("clint@hillvalley.edu", "555-1955")
    see(DOC, "555-4385")
    see(LONG, "555-1985")
    see(SCRIPT, "555-1985")
    for number in range(30):
        see(f"guest{number}@hotel.example", "+17755550100")
    apart = Apart(Value(Kind.EMAIL, MARTY), Value(Kind.EMAIL, "clint@hillvalley.edu"))
    applying.rule(apart, Ordered("Doc", "They are not."))
    wrong, _ = applying.rule(LinksNobody(Value(Kind.PHONE, "1")), Ordered("Doc"))
    applying.withdraw(wrong.id, Ordered("Doc"))
    bring(FILE, feed="shop")
    register.give("customers.csv", "a browser", FILE)
    sweeping.sweep(60)
    _tell_others()
    erasing.erase(
        Wanted(frozenset([parse_one("lorraine@hillvalley.edu")])), Ordered("Doc", "Asked.")
    )
    client = app.test_client()
    send(client, "/report", {"csrf_token": field(client.get("/report"), "csrf_token")})
    two = Apart(Value(Kind.EMAIL, DOC), Value(Kind.PHONE, "5554385"))
    with app.test_request_context():
        searches = [
            url_for("web.results", typed=sealed.seal(typed, SEARCH))
            for typed in ("hillvalley", "nobody@nowhere.example", LONG)
        ]
        adding = url_for("web.adding", given=sealed.seal([DOC, "5551955"], ADDING))
        return [*ADDRESSES, *searches, adding, previews.address(two)]


def _tell_others() -> None:
    """Deliver changes to somebody who takes the first and fails the others."""
    with receiving() as receiver:
        webhooks.add(receiver.address, (), HERE, KEY)
        bring(b"email\njennifer@hillvalley.edu\ngoldie@hillvalley.edu\n")
        receiver.answer = lambda _: (200 if len(receiver.came) == 1 else 500, {})
        Deliverer(KEY, HERE).once()


def found_by_axe(page: Page) -> list[str]:
    """Return what is wrong with the page as it is now."""
    return [
        f"{page.url}: {violation['id']}: {violation['nodes'][0]['html']}"
        for violation in Axe().run(page).response["violations"]
    ]


def test_no_page_is_wider_than_the_screen(page: Page, pages: list[str]) -> None:
    for path in pages:
        page.goto(path)
        for width in (320, 390, 768, 1440, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} at {width}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, pages: list[str], scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)

    for path in pages:
        page.goto(path)
        if path == "/docs":
            expect(page.locator(".opblock").first).to_be_visible()
        assert found_by_axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone(page: Page, pages: list[str], scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 800})

    for path in ("/", "/clusters/1", "/events", "/review/rulings", "/import", "/webhooks/1"):
        page.goto(path)
        assert found_by_axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_endpoint_is_tried_out_where_it_is_described(
    page: Page, see: See, complaints: list[str], scheme: Any
) -> None:
    see("calvin@hillvalley.edu", "555-1985")
    page.emulate_media(color_scheme=scheme)
    page.goto("/docs")
    page.locator("#operations-Customers-identify .opblock-summary-control").click()
    assert found_by_axe(page) == []
    page.get_by_role("button", name="Try it out").click()
    page.get_by_label("Request body").fill('{"phoneNumber": "555-1985"}')
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table")).to_contain_text("calvin@hillvalley.edu")
    assert found_by_axe(page) == []
    assert complaints == []
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found_by_axe(page) == []


def test_the_documentation_is_dark_in_the_dark(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/docs")
    page.locator("#operations-Customers-identify .opblock-summary-control").click()
    expect(page.locator(".opblock-body .microlight").first).to_be_visible()

    # Whatever paints, in rgb: nothing is lighter than a middle grey, but what is pressed.
    bright = page.evaluate(
        """() => [...document.querySelectorAll("#endpoints *:not(.btn)")].filter((each) => {
             const paint = getComputedStyle(each).backgroundColor;
             const [r, g, b, a = 1] = paint.match(/[\\d.]+/g).map(Number);
             return each.checkVisibility() && a > 0 && r + g + b > 3 * 128;
           }).map((each) => each.outerHTML)"""
    )
    assert bright == []


def test_paper_has_what_is_read_and_nothing_to_press(page: Page, pages: list[str]) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 700, "height": 1000})

    for path in ("/clusters/1", "/clusters", "/events", "/review/rulings"):
        page.goto(path)
        for gone in (".masthead", "form", ".button", ".copy", ".ago", ".choices"):
            assert page.locator(gone).locator("visible=true").count() == 0, f"{gone} on {path}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 700, path
        # The whole table: nothing to scroll to, and its last column on the sheet.
        cut = page.evaluate(
            """() => [...document.querySelectorAll(".scroll:not(.picture)")]
                 .filter((each) => each.scrollWidth > each.clientWidth + 1).length"""
        )
        assert cut == 0, path
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert ink == "rgb(28, 35, 48)", "paper is light"


def test_a_table_is_cards_on_a_phone(page: Page, pages: list[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 800})

    page.goto("/clusters/1")

    cell = page.locator("#contact-1 td").filter(has_text=MARTY)
    expect(cell).to_be_visible()
    box = cell.bounding_box()
    assert box
    assert box["x"] + box["width"] <= 390
    said = cell.evaluate("each => getComputedStyle(each, '::before').content")
    assert said == '"Email"'


def test_the_header_is_one_line_from_a_tablet_on(page: Page) -> None:
    page.goto("/")
    for width, lines in ((1920, 1), (1440, 1), (768, 1), (390, 2), (320, 2)):
        page.set_viewport_size({"width": width, "height": 800})
        tops = page.evaluate(
            """() => [...document.querySelectorAll(".masthead .find, .masthead nav")]
                 .map((each) => each.getBoundingClientRect())
                 .map((box) => Math.round((box.top + box.bottom) / 2 / 20))"""
        )
        assert len(set(tops)) == lines, width


def test_focus_can_be_seen_on_all_that_takes_it(page: Page, pages: list[str]) -> None:
    for path in ("/", "/add", "/events", "/review/rulings"):
        page.goto(path)
        for _ in range(25):
            page.keyboard.press("Tab")
            unseen = page.evaluate(
                """() => {
                     const here = document.activeElement;
                     const seen = parseFloat(getComputedStyle(here).outlineWidth) >= 2;
                     return here !== document.body && !seen && here.outerHTML;
                   }"""
            )
            assert not unseen, path
