"""The plan of an import in a browser: found out, looked at, confirmed; and how far that is."""

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from identity.caution import showing
from identity.caution.choosing import Choices
from identity.importing import register, uploads
from identity.importing.uploads import BEFORE, IMPORTING, Kept
from identity.rulings.kinds import ImportWithdrawn
from identity.web import blueprint, callers, paths
from identity.web.marks import May, allow
from identity.web.pages import (
    import_choices,
    import_readings,
    import_results,
    import_work,
    previews,
)
from identity.web.pages.import_reading import reading_of

AGAIN = "again"
CHOSEN = "This is what your choices lead to. Nothing has been imported yet."
OVERTAKEN = "This is not the plan that you confirmed. Nothing has been imported yet."


@blueprint.get(paths.IMPORT)
@allow(May.LOOK)
def one_import(import_id: int) -> ResponseReturnValue:
    """Show what an import would bring, how far it is, or what it brought."""
    listed, kept = register.get(import_id), uploads.get(import_id)
    work = kept.under_way
    if kept.reading is None and kept.work and kept.work.doing in BEFORE:
        callers.check(May.RULE)
        return render_template("import_examining.html", listed=listed, work=kept.work)
    reading = None if listed.finished_at else reading_of(listed)
    if reading is not None and work and work.doing == IMPORTING:
        return render_template(
            "import_running.html", listed=listed, work=work, rows=reading["rows"]
        )
    if reading is None or (listed.started_at and not callers.may_use("web.carry_out")):
        return import_results.page(listed)
    # What would happen is for those who may let it happen.
    callers.check(May.RULE)
    if import_readings.asks(reading) and not (kept.plan or kept.work or listed.started_at):
        return redirect(url_for("web.import_reading", import_id=import_id))
    return _plan(listed, kept, reading)


@blueprint.get(f"{paths.IMPORT}/progress.json")
@allow(May.LOOK)
def import_progress(import_id: int) -> ResponseReturnValue:
    """Answer how far the plan or the import of a file is, for the script that moves the bar."""
    register.get(import_id)
    work = uploads.get(import_id).under_way
    if work is None:
        return {"doing": None}
    return {"doing": work.doing, "step": work.step, "rows": work.rows}


@blueprint.post(f"{paths.IMPORT}/plan")
@allow(May.RULE)
def plan_import(import_id: int) -> ResponseReturnValue:
    """Find out anew what a file would bring."""
    register.get(import_id)
    import_work.plan(import_id)
    return _here(import_id)


@blueprint.post(paths.IMPORT)
@allow(May.RULE)
def carry_out(import_id: int) -> ResponseReturnValue:
    """Import a file whose plan was confirmed; show the plan again when other choices were made."""
    listed, kept = register.get(import_id), uploads.get(import_id)
    if kept.under_way or kept.reading is None:
        # Confirmed twice; the first time is enough.
        return _here(import_id)
    choices = Choices.from_json(listed.choices)
    chosen = import_choices.sent(choices)
    if chosen != choices or AGAIN in request.form:
        uploads.chosen(import_id, (listed.choices or {}) | chosen.as_json())
        import_work.plan(import_id)
        flash(CHOSEN)
    elif kept.plan is None or request.form.get("plan") != kept.plan["fingerprint"]:
        flash(OVERTAKEN, "attention")
    else:
        import_work.carry_out(import_id, callers.name(), kept.plan["fingerprint"])
    return _here(import_id)


def _here(import_id: int) -> Response:
    return redirect(url_for("web.one_import", import_id=import_id), 303)


def _plan(listed: register.Listed, kept: Kept, reading: dict[str, Any]) -> str:
    plan = None if kept.under_way else kept.plan
    if plan and listed.started_at and datetime.fromisoformat(plan["as_of"]) < listed.started_at:
        # What it said is done in part by now.
        plan = None
    shown = plan["shown"] if plan else None
    return render_template(
        "import_plan.html",
        listed=listed,
        undo=previews.address(ImportWithdrawn(listed.id)),
        reading=reading,
        first=import_readings.first(reading),
        work=kept.work,
        plan=shown,
        fingerprint=plan and plan["fingerprint"],
        overtaken=plan and plan.get("overtaken"),
        as_of=plan and datetime.fromisoformat(plan["as_of"]),
        moved_on=plan and plan["standing"] != showing.standing(),
        choices=Choices.from_json(listed.choices),
        suspects=import_choices.of_suspects(shown) if shown else [],
        merges=import_choices.of_merges(shown) if shown else [],
        left_out=import_choices.of_left_out(shown) if shown else [],
    )


blueprint.add_app_template_filter(showing.legible, "legible")
