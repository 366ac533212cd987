"""Searching and adding in a real browser: by keyboard, back and forth, in a second tab."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.conftest import See

pytestmark = pytest.mark.browser


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def town(see: See) -> None:
    """Marty is customer 1, with contact 3; Doc is customer 2."""
    see("marty@hillvalley.edu", "617-253-1014")
    see("doc@hillvalley.edu", "555-4385")
    see("calvin@hillvalley.edu", "617-253-1014")


def search(page: Page, typed: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("town")
def test_a_slash_begins_a_search_and_back_returns_to_it(page: Page, complaints: list[str]) -> None:
    page.goto("/events")
    search(page, "VIN@hill")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("mark")).to_have_text("vin@hill")
    expect(page.get_by_label("Search customers")).to_have_value("VIN@hill")
    assert "hill" not in page.url.partition("//")[2].partition("/")[2].lower().split("/")[0]

    page.get_by_role("link", name="Customer 1").click()
    expect(page.locator("#contact-3")).to_be_visible()
    page.go_back()

    expect(page.locator("mark")).to_have_text("vin@hill")
    page.reload()
    expect(page.locator("mark")).to_have_text("vin@hill")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Activity")
    assert complaints == []


@pytest.mark.usefixtures("town")
def test_a_search_opens_in_a_second_tab(page: Page) -> None:
    page.goto("/")
    search(page, "(617) 253-1014")
    expect(page.locator("mark").first).to_have_text("6172531014")

    other = page.context.new_page()
    other.goto(page.url)

    expect(other.locator("mark").first).to_have_text("6172531014")
    expect(other.get_by_label("Search customers")).to_have_value("(617) 253-1014")


def test_a_slash_is_a_slash_where_somebody_types(page: Page) -> None:
    page.goto("/add")
    page.get_by_label("Email", exact=True).press_sequentially("a/b")

    expect(page.get_by_label("Email", exact=True)).to_have_value("a/b")


def test_what_is_not_found_is_added(page: Page, complaints: list[str]) -> None:
    page.goto("/")
    search(page, "jennifer@hillvalley.edu")
    page.get_by_role("link", name="Add this contact").click()
    page.get_by_role("button", name="Add 1 new customer").click()

    expect(page.get_by_role("status")).to_contain_text("This is a new customer.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("jennifer@hillvalley.edu")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing new")
    assert complaints == []


@pytest.mark.usefixtures("town")
def test_a_merge_shows_both_first_and_is_taken_apart_from_its_notice(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Add a contact").click()
    page.get_by_label("Email", exact=True).fill("doc@hillvalley.edu")
    page.get_by_label("Phone number", exact=True).fill("(617) 253-1014")
    page.get_by_role("button", name="See what would happen").click()

    cards = page.locator(".customer")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("calvin@hillvalley.edu")
    expect(cards.last).to_contain_text("doc@hillvalley.edu")
    page.get_by_role("button", name="Merge 1 contact into customer 1").click()
    expect(page.get_by_role("status")).to_contain_text("are one now")

    page.get_by_role("status").get_by_role("link", name="Take apart").click()
    page.get_by_role("button", name="Take apart into 2 customers").click()

    expect(page.get_by_role("button", name="Undo")).to_be_visible()


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_no_result_is_wider_than_the_screen(page: Page, see: See, width: int) -> None:
    see("x" * 60 + "@" + ".".join(["y" * 60] * 3) + ".example", "617-253-1014")
    page.set_viewport_size({"width": width, "height": 800})

    for typed in ("xxx", "617-253-1014", "jennifer@" + "y" * 60 + ".example", "ab"):
        page.goto("/")
        search(page, typed)
        expect(page.get_by_role("heading", level=1)).to_have_text("Search")
        # Without its styles, which may come later, it is wider.
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, typed
    page.get_by_role("link", name="Identity").click()


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_somebody_searches_and_adds(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)

    for typed in ("617-253-1014", "doc@hillvalley.edu 617-253-1014", "jennifer", "ab"):
        page.goto("/")
        search(page, typed)
        expect(page.get_by_role("heading", level=1)).to_have_text("Search")
        assert complaints_of_axe(page) == [], typed
    page.goto("/")
    search(page, "doc@hillvalley.edu 617-253-1014")
    page.get_by_role("link", name="Add this contact").click()
    expect(page.get_by_role("button", name="Merge 1 contact into customer 1")).to_be_visible()
    assert complaints_of_axe(page) == []


def complaints_of_axe(page: Page) -> list[str]:
    found = Axe().run(page)
    return [
        f"{violation['id']}: {violation['nodes'][0]['html']}"
        for violation in found.response["violations"]
    ]
