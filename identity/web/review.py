"""The review: what looks wrong, and what may be done about it."""

from collections.abc import Callable

from flask import render_template
from flask.typing import ResponseReturnValue

from identity.web import blueprint
from identity.web.marks import May, allow


@blueprint.get("/review")
@allow(May.USER)
def review() -> ResponseReturnValue:
    """Show what is to be looked at."""
    return render_template("review.html")


@blueprint.app_context_processor
def _in_the_menu() -> dict[str, Callable[[], int | None]]:
    return {"to_review": lambda: None}
