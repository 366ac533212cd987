"""How a file is read, in a browser: what each column is, and the first rows as understood."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import phonenumbers
from babel import Locale
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity.errors import InvalidInput
from identity.importing import register, uploads
from identity.importing.columns import Chosen, labels
from identity.importing.dates import DAY_FIRST, MONTH_FIRST
from identity.importing.uploads import BEFORE
from identity.web import blueprint, domain, paths
from identity.web.marks import May, allow
from identity.web.pages import import_readings, import_work
from identity.web.pages.import_readings import READ, ROLES, SOURCE

MOST = 200
"""Columns of a file that can be chosen. Whatever is read is among them."""
FEW = 12
"""Columns that are all shown at once. Of more, those that are not read are folded away."""
DATES = {
    "": "As the file itself shows",
    DAY_FIRST: "Day first: 31/12/2024",
    MONTH_FIRST: "Month first: 12/31/2024",
}
ONE_REFERENCE = "Only one column can be the reference."


@blueprint.get(f"{paths.IMPORT}/reading")
@allow(May.RULE)
def import_reading(import_id: int) -> ResponseReturnValue:
    """Show how a file is read, to be chosen otherwise."""
    listed = register.get(import_id)
    reading = reading_of(listed)
    if reading is None or listed.started_at:
        return redirect(url_for("web.one_import", import_id=import_id), 303)
    return _page(listed, reading, {})


@blueprint.post(f"{paths.IMPORT}/reading")
@allow(May.RULE)
def read_otherwise(import_id: int) -> ResponseReturnValue:
    """Read a file as it was chosen; show the first rows, or find out what it would bring."""
    listed, content = register.get(import_id), register.content(import_id)
    reading = reading_of(listed)
    if content is None or reading is None or listed.started_at:
        return redirect(url_for("web.one_import", import_id=import_id), 303)
    choices, wrong = _sent(listed, reading)
    try:
        reading = import_readings.shown(listed.file_name, content, choices)
    except InvalidInput as problem:
        wrong["columns"] = str(problem)
    if wrong:
        return _page(replace(listed, choices=choices), reading, wrong), 400
    uploads.read_so(import_id, choices, reading)
    if "plan" in request.form and reading["recognised"]:
        import_work.plan(import_id)
        return redirect(url_for("web.one_import", import_id=import_id), 303)
    return redirect(url_for("web.import_reading", import_id=import_id), 303)


def reading_of(listed: register.Listed) -> dict[str, Any] | None:
    """Return how a file is read, as it is shown; None when it is not known, or no longer kept."""
    kept = uploads.get(listed.id)
    examined = kept.reading or (kept.work and kept.work.doing in BEFORE)
    content = None if examined else register.content(listed.id)
    if content is None:
        return kept.reading
    # Taken in by the version before, which did not keep this.
    return import_readings.shown(listed.file_name, content, listed.choices)


def _sent(
    listed: register.Listed, reading: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the choices that the form says, and what is wrong with it, by its fields."""
    form, wrong = request.form, dict[str, str]()
    wanted = {
        place: form.get(f"as-{place}", column["as"])
        for place, column in enumerate(reading["columns"])
        if form.get(f"as-{place}", column["as"]) in ROLES
    }
    if list(wanted.values()).count("reference") > 1:
        wrong["columns"] = ONE_REFERENCE
    how = Chosen(
        **import_readings.choice([each["name"] for each in reading["columns"]], wanted),
        region=form["region"] if form.get("region") in countries() else "",
        dates=form["dates"] if form.get("dates") in DATES else "",
    )
    choices = (listed.choices or {}) | {READ: how.as_json()}
    feed = form.get(SOURCE, "").strip()
    try:
        if feed:
            register.feed(feed)
    except InvalidInput as problem:
        wrong[SOURCE] = str(problem)
    choices[SOURCE] = feed
    return choices, wrong


def _page(listed: register.Listed, reading: Mapping[str, Any], wrong: Mapping[str, str]) -> str:
    called = labels(each["name"] for each in reading["columns"])
    columns = [
        (place, each | {"called": called[place]}) for place, each in enumerate(reading["columns"])
    ]
    looks = {name: looks_like for name, looks_like, _ in reading["overlooked"]}
    named = [each for each in columns if each[1]["name"].strip() or each[1]["examples"]]
    first = [each for each in named if each[1]["as"] or each[1]["called"] in looks]
    rest = [each for each in named if each not in first]
    if reading.get("guessed") or not reading["recognised"] or len(named) <= FEW:
        # Of more than can be shown, those that are read come first.
        first, rest = (first + rest if len(named) > MOST else named), []
    return render_template(
        "import_reading.html",
        listed=listed,
        reading=reading,
        first=import_readings.first(reading),
        first_columns=first[:MOST],
        other_columns=rest[: max(0, MOST - len(first))],
        left=len(named) - MOST,
        looks=looks,
        how=import_readings.chosen(listed.choices),
        feed=(listed.choices or {}).get(SOURCE, ""),
        roles=ROLES,
        dates=DATES,
        countries=countries(),
        region=domain.region(),
        wrong=wrong,
    )


@lru_cache(1)
def countries() -> dict[str, str]:
    """Return the countries that have phone numbers, by name."""
    names = Locale("en").territories
    known = {code: names.get(code, code) for code in phonenumbers.SUPPORTED_REGIONS}
    return dict(sorted(known.items(), key=lambda each: each[1]))
