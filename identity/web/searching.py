"""The search, in the header of every page: what was typed is answered on a page of its own.

Emails and phone numbers stay out of addresses, which end up in histories and logs: what is
searched for is sent in a body, and sealed in the address of its results.
"""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity.web import blueprint, sealed
from identity.web.marks import May, allow

SEARCH = "search"


@blueprint.post("/search")
@allow(May.USER)
def search() -> ResponseReturnValue:
    """Lead to the results for what was typed."""
    typed = request.form.get("typed", "").strip()
    return redirect(url_for("web.results", typed=sealed.seal(typed, SEARCH)), 303)


@blueprint.get("/search/<typed>")
@allow(May.USER)
def results(typed: str) -> ResponseReturnValue:
    """Show whom was searched for."""
    return render_template("search.html", typed=sealed.unseal(typed, SEARCH))
