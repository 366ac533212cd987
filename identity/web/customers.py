"""The customers, by the page.

Emails and phone numbers stay out of addresses, which end up in histories and logs: what is
searched for is sent in a body.
"""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from identity import browsing, database
from identity.browsing import Order
from identity.identifiers import as_searched
from identity.web import blueprint, query
from identity.web.marks import May, allow

ORDERS = {
    Order.NEWEST: "Newest",
    Order.ACTIVE: "Last activity",
    Order.LARGEST: "Most contacts",
}


@blueprint.route("/clusters", methods=["GET", "POST"])
@allow(May.USER)
def customers() -> ResponseReturnValue:
    """List the customers, or those with what was searched for."""
    typed = request.form.get("part", "").strip()
    part = as_searched(typed)
    order = query.one_of(Order, "order") or Order.NEWEST
    too_short = bool(typed) and len(part) < browsing.SHORTEST
    page = None
    if typed and not too_short:
        page = database.read(lambda connection: browsing.search(connection, part))
    elif not typed:
        after = query.whole_number("after")
        page = database.read(lambda connection: browsing.customers(connection, order, after=after))
    return render_template(
        "clusters.html",
        page=page,
        part=typed,
        too_short=too_short,
        order=order,
        orders=ORDERS,
        shortest=browsing.SHORTEST,
    )
