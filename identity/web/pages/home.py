"""The first page: how much there is, what is to be looked at, and what happened last."""

from flask import render_template
from flask.typing import ResponseReturnValue

from identity import activity, browsing, database
from identity.activity import Mark, Wanted
from identity.reviewing import country_codes
from identity.web import blueprint
from identity.web.marks import May, allow

LATEST = 6


@blueprint.get("/")
@allow(May.LOOK)
def home() -> ResponseReturnValue:
    """Show what there is, and where to begin."""
    with database.snapshot() as connection:
        latest = activity.page(connection, Wanted(), Mark(), LATEST)
    return render_template(
        "home.html",
        latest=latest.lines,
        figures=database.read(browsing.figures),
        enough=country_codes.ENOUGH,
    )
