"""A file in a real browser: its columns chosen, its plan made, looked at and carried out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import update

from identity import database
from identity.importing import register, uploads
from identity.importing.uploads import PLANNING
from identity.models import Import

pytestmark = pytest.mark.browser

FILE = """Kunde;Wo;Apparat
17;doc@hillvalley.edu;0170 1234567
18;marty@hillvalley.edu;0170 7654321
"""


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kunden.csv"
    path.write_text(FILE)
    return path


def upload(page: Page, file: Path) -> None:
    page.goto("/import")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Show the plan").click()


def test_columns_are_chosen_and_the_first_rows_follow_before_anything_is_imported(
    page: Page, file: Path, complaints: list[str]
) -> None:
    upload(page, file)
    expect(page.get_by_role("status")).to_contain_text("No column is known by its name.")
    first = page.get_by_role("region", name="Table of the first rows")
    expect(first).to_contain_text("doc@hillvalley.edu")

    page.get_by_label("Kunde").select_option("Reference")
    expect(first).to_contain_text("17")
    page.get_by_label("Country of phone numbers without one").select_option("Germany")
    expect(first).to_contain_text("+491701234567")
    page.get_by_role("button", name="Show the plan").click()

    expect(page.get_by_role("heading", name="Plan for kunden.csv")).to_be_visible()
    expect(page.locator(".figures")).to_contain_text("New customers2")
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("heading", name="Import of kunden.csv")).to_be_visible()
    expect(page.locator(".figures")).to_contain_text("New customers2")
    assert complaints == []


def test_a_bar_moves_and_gives_way_to_the_plan(
    app: Flask, page: Page, file: Path, complaints: list[str]
) -> None:
    file.write_text("email\n" + "doc@hillvalley.edu\n" * 100)
    upload(page, file)
    expect(page.locator(".figures")).to_be_visible()
    kept = uploads.get(1)

    def work(step: str, rows: int) -> None:
        told = {"doing": PLANNING, "by": "somebody", "step": step, "rows": rows, "failed": None}
        told |= {"seen_at": datetime.now(UTC).isoformat()}
        with database.transaction() as connection:
            connection.execute(update(Import).values(work=told, plan=None))

    work("Reading", 20)
    page.reload()
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_accessible_name("Reading")
    expect(bar).to_have_js_property("value", 20)
    work("Comparing", 60)
    expect(bar).to_have_js_property("value", 60)
    expect(bar).to_have_accessible_name("Comparing")
    expect(page.get_by_role("status")).to_have_text("60 of 100 rows")

    register.note(1, plan=kept.plan, work=None)
    expect(page.locator(".figures")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_too_wide(page: Page, file: Path, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    upload(page, file)
    found = []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        found += Axe().run(page).response["violations"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Kunde").select_option("Reference")
    expect(page.get_by_role("region", name="Table of the first rows")).to_be_visible()
    found += Axe().run(page).response["violations"]

    assert found == []
