"""The pages in a real browser: the main jobs, by mouse and by keyboard, and what axe finds."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from identity import access
from tests.browser import chromium
from tests.callers import PASSWORD
from tests.conftest import See

pytestmark = pytest.mark.browser

LONG = "x" * 60 + "@" + ".".join(["y" * 60] * 3) + ".example"
PAGES = [
    "/",
    "/import",
    "/docs",
    "/clusters",
    "/clusters?order=largest",
    "/events",
    "/clusters/1",
    "/clusters/404",
]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    return {
        "executable_path": chromium(),
        "args": [
            "--no-sandbox",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    with browser.new_context(base_url=site) as context:
        yield context.new_page()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complains of: errors of scripts, and breaches of the content policy."""
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("console", lambda line: told.append(line.text) if line.type == "error" else None)
    return told


@pytest.fixture
def town(see: See) -> None:
    """Marty is customer 1 with three phones in a chain; Doc is customer 5."""
    see("marty@hillvalley.edu", "555-1985")
    see("calvin@hillvalley.edu", "555-1985", source="checkout")
    see("calvin@hillvalley.edu", "555-1955")
    see("clint@hillvalley.edu", "555-1955")
    see("doc@hillvalley.edu", "555-4385")


def submit(page: Page, button: str, email: str = "", phone: str = "") -> None:
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name=button).click()


def test_submitting_and_looking_up(page: Page, complaints: list[str]) -> None:
    submit(page, "Submit", "marty@hillvalley.edu", "555-1985")
    expect(page.get_by_role("status")).to_have_text("This is a new customer.")
    expect(page.get_by_role("heading", level=1)).to_have_text("marty@hillvalley.edu · 5551985")

    submit(page, "Look up", phone="555 1985")
    expect(page.get_by_role("heading", level=1)).to_have_text("marty@hillvalley.edu · 5551985")

    submit(page, "Look up", "nobody@hillvalley.edu")
    expect(page.get_by_role("heading", name="Nobody by that email")).to_be_visible()
    expect(page.get_by_label("Email", exact=True)).to_have_value("nobody@hillvalley.edu")
    assert complaints == []


@pytest.mark.usefixtures("town")
def test_a_merge_is_announced_before_it_happens(page: Page) -> None:
    submit(page, "Look up", "doc@hillvalley.edu", "555-1985")
    expect(page.get_by_text("Customer 1 is older and stays primary")).to_be_visible()
    expect(page.get_by_text("1 contact moves over from customer 5")).to_be_visible()

    page.get_by_role("button", name="Submit").click()

    expect(page.get_by_role("status")).to_contain_text("Two customers turned out to be one")
    expect(page.locator(".graph .node")).to_have_count(7)


@pytest.mark.usefixtures("town")
def test_searching(page: Page) -> None:
    page.goto("/clusters")
    page.get_by_label("Any part of an email or a phone number").fill("VIN@hill")
    page.get_by_role("button", name="Search").click()

    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("marty@hillvalley.edu")


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

    page.goto("/")
    tab_to("#email")
    page.keyboard.type("jennifer@hillvalley.edu")
    tab_to("#phone_number")
    page.keyboard.type("555-1985")
    tab_to("[name=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("A new contact was added")

    tab_to(".graph a")
    page.keyboard.press("Enter")
    expect(page.locator(".graph .chosen")).to_have_count(1)


@pytest.mark.usefixtures("town")
def test_everything_works_without_scripts(browser: Browser, site: str) -> None:
    with browser.new_context(java_script_enabled=False, base_url=site) as context:
        page = context.new_page()
        submit(page, "Submit", "clint@hillvalley.edu", "555-4385")

        expect(page.get_by_role("status")).to_contain_text("Two customers turned out to be one")
        expect(page.locator(".graph .node")).to_have_count(7)
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("width", [320, 390, 768, 1440, 1920])
def test_no_page_is_wider_than_the_screen(page: Page, see: See, width: int) -> None:
    see(LONG, "555-1985")
    see('"<script>alert(1)</script>"@hillvalley.edu', "555-1985")
    page.set_viewport_size({"width": width, "height": 800})

    for path in [*PAGES, "/clusters/1?at=e1&and=e2"]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, see: See, scheme: Any) -> None:
    see(LONG, "555-1985")
    page.emulate_media(color_scheme=scheme)

    for path in [*PAGES, "/clusters/1?at=e1&and=e2", "/clusters/1?link=e1.p1"]:
        page.goto(path)
        # What Swagger UI draws is its makers' to mend.
        found = Axe().run(page, context={"exclude": [["#endpoints"]]})
        told = [
            f"{path}: {violation['id']}: {violation['nodes'][0]['html']}"
            for violation in found.response["violations"]
        ]
        assert told == []


@pytest.mark.usefixtures("town")
def test_an_endpoint_is_tried_out_where_it_is_described(page: Page, complaints: list[str]) -> None:
    page.goto("/docs")
    page.locator("#operations-Customers-identify .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator("textarea").fill('{"phoneNumber": "555-1985"}')
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table")).to_contain_text("calvin@hillvalley.edu")
    assert complaints == []


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
