"""Rulings in a browser: previewed, applied, listed and undone."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from identity.rulings import applying, register
from identity.rulings.applying import Ordered
from identity.web import blueprint, callers, paths, previews
from identity.web.marks import May, allow


@blueprint.get("/review/rulings")
@allow(May.USER)
def rulings_page() -> ResponseReturnValue:
    """List the rulings."""
    found, more = register.latest()
    return render_template("rulings.html", rulings=found, more=more)


@blueprint.get("/review/plan/<ruling>")
@allow(May.USER)
def preview(ruling: str) -> ResponseReturnValue:
    """Show what a ruling would change."""
    plan = applying.plan(previews.opened(ruling))
    return render_template("preview.html", plan=plan.as_json())


@blueprint.post(f"/review{paths.RULING}/undo")
@allow(May.USER)
def undo(ruling_id: int) -> ResponseReturnValue:
    """Undo a ruling."""
    applying.withdraw(ruling_id, Ordered(callers.source("form")))
    flash("Undone.")
    return redirect(url_for("web.rulings_page"), 303)
