"""The pages in a real browser: the main jobs, by mouse and by keyboard."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from identity import access
from tests.callers import PASSWORD
from tests.conftest import See

pytestmark = pytest.mark.browser


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def town(see: See) -> None:
    """Marty is customer 1 with three phones in a chain; Doc is customer 5."""
    see("marty@hillvalley.edu", "555-1985")
    see("calvin@hillvalley.edu", "555-1985", source="checkout")
    see("calvin@hillvalley.edu", "555-1955")
    see("clint@hillvalley.edu", "555-1955")
    see("doc@hillvalley.edu", "555-4385")


def add(page: Page, email: str = "", phone: str = "") -> None:
    """Fill in the form for adding, and look at what would happen."""
    page.goto("/add")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Phone number", exact=True).fill(phone)
    page.get_by_role("button", name="See what would happen").click()


@pytest.mark.usefixtures("town")
def test_the_picture_and_the_way_between_two(page: Page, complaints: list[str]) -> None:
    page.goto("/clusters/1")
    expect(page.locator(".graph .node")).to_have_count(5)
    expect(page.locator(".graph .edge")).to_have_count(4)
    expect(page.locator(".graph .node.primary")).to_have_count(2)

    page.locator(".graph .node", has_text="marty@hillvalley.edu").click()
    page.locator(".graph .node", has_text="clint@hillvalley.edu").click()

    expect(page.locator(".way li")).to_have_count(4)
    expect(page.locator(".way li").nth(1)).to_contain_text("calvin@hillvalley.edu and 5551985")
    expect(page.locator(".way li").nth(1)).to_contain_text("checkout")
    assert "hillvalley" not in page.url
    assert complaints == []


@pytest.mark.usefixtures("town")
def test_the_main_job_by_keyboard_alone(page: Page) -> None:
    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached")

    page.goto("/add")
    tab_to("#email")
    page.keyboard.type("jennifer@hillvalley.edu")
    tab_to("#phone_number")
    page.keyboard.type("555-1985")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add 1 contact to customer 1")).to_be_visible()
    tab_to("#main button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("A new contact was added")

    tab_to(".graph a")
    page.keyboard.press("Enter")
    expect(page.locator(".graph .chosen")).to_have_count(1)


@pytest.mark.usefixtures("town")
def test_everything_works_without_scripts(browser: Browser, site: str) -> None:
    with browser.new_context(java_script_enabled=False, base_url=site) as context:
        page = context.new_page()
        add(page, "clint@hillvalley.edu", "555-4385")
        page.get_by_role("button", name="Merge 1 contact into customer 1").click()

        expect(page.get_by_role("status")).to_contain_text("Two customers turned out to be one")
        expect(page.locator(".graph .node")).to_have_count(7)
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_somebody_signs_in_and_out(app: Flask, page: Page) -> None:
    access.create_user("Doc", PASSWORD)

    page.goto("/clusters")
    page.get_by_label("Name").fill("Doc")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/clusters$"))
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/clusters")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.usefixtures("town")
def test_an_import_names_what_strangers_share_and_its_ruling_is_undone(
    page: Page, complaints: list[str]
) -> None:
    rows = "".join(f"p{number}@hillvalley.edu,0000000000\n" for number in range(30))
    merging = "marty@hillvalley.edu,555-4385\n"
    file: Any = {"name": "shop.csv", "mimeType": "text/csv"}
    page.goto("/import")
    page.get_by_label("File").set_input_files(
        file | {"buffer": f"email,phone\n{rows}{merging}".encode()}
    )
    page.get_by_role("button", name="Show the plan").click()

    shared = page.get_by_role("listitem").filter(has_text="0000000000 is the phone number of 30")
    expect(shared.get_by_label("Links nobody")).to_be_checked()
    expect(page.get_by_text("Line 32 gives marty@hillvalley.edu with 5554385")).to_be_visible()
    assert Axe().run(page).violations_count == 0

    page.get_by_label("Keep apart").check()
    page.get_by_role("button", name="Show what these choices lead to").first.click()
    expect(page.get_by_text("1 row would be held")).to_be_visible()
    page.get_by_role("button", name="Import 31 rows").click()

    expect(page.get_by_text("0000000000 links nobody.")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("shop.csv")
    page.go_forward()

    row = page.get_by_role("listitem").filter(has_text="0000000000 links nobody.")
    row.get_by_role("link", name="Undo").click()
    page.get_by_role("button").filter(has_text="Undo").first.click()

    page.goto("/clusters?order=largest")
    expect(page.locator("tbody tr").first).to_contain_text("30")
    assert complaints == []
