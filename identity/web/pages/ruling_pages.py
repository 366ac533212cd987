"""The rulings in a browser: listed, looked for, and each by itself.

What is looked for may be an email: it is sent in a body, and sealed in the address of what is
found.
"""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import database
from identity.identifiers import EMAIL_LENGTH, as_searched, legible
from identity.rulings import applying, listing
from identity.rulings.kinds import RulingKind, Unnamed
from identity.rulings.listing import Asked, Standing
from identity.web import blueprint, paths, query
from identity.web.marks import May, allow
from identity.web.pages import previews, ruling_words, sealed

SEARCHED = "rulings"


@blueprint.get("/review/rulings")
@allow(May.LOOK)
def rulings_page() -> ResponseReturnValue:
    """List the rulings, or those that are asked for."""
    kind, standing = query.one_of(RulingKind, "kind"), query.one_of(Standing, "standing")
    secret = request.args.get("search")
    part = str(sealed.unseal(secret, SEARCHED)) if secret else ""
    asked = Asked(part, as_searched(part), kind, standing)
    before = query.whole_number("before")
    found, more = database.read(lambda connection: listing.listed(connection, asked, before))

    def address(**changed: Any) -> str:
        chosen: dict[str, Any] = {"kind": kind, "standing": standing, "search": secret}
        return url_for("web.rulings_page", **chosen | changed)

    return render_template(
        "rulings.html",
        rulings=found,
        asked=asked,
        kinds=ruling_words.KINDS,
        before=before,
        older=address(before=found[-1].id) if more else None,
        address=address,
    )


@blueprint.post("/review/rulings")
@allow(May.LOOK)
def search_rulings() -> ResponseReturnValue:
    """Lead to the rulings that are looked for."""
    # PostgreSQL has no NUL, and refuses even to look for one.
    part = legible(request.form.get("part", ""))[:EMAIL_LENGTH]
    chosen: dict[str, Any] = {name: request.form.get(name) or None for name in ("kind", "standing")}
    chosen["search"] = sealed.seal(part, SEARCHED) if part else None
    return redirect(url_for("web.rulings_page", **chosen), 303)


@blueprint.get(f"/review{paths.RULING}")
@allow(May.LOOK)
def ruling_page(ruling_id: int) -> ResponseReturnValue:
    """Show a ruling and what it changed."""
    registered, plan = applying.get(ruling_id)
    is_known = not isinstance(registered.what, Unnamed)
    again = previews.address(registered.what) if is_known else None
    return render_template("ruling.html", ruling=registered, plan=plan, again=again)
