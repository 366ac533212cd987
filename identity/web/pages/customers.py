"""The customers, by the page."""

from flask import render_template
from flask.typing import ResponseReturnValue

from identity import browsing, database
from identity.browsing import Order
from identity.searching import members
from identity.web import blueprint, query
from identity.web.marks import May, allow

ORDERS = {
    Order.NEWEST: "Newest",
    Order.ACTIVE: "Last activity",
    Order.LARGEST: "Most contacts",
}


@blueprint.get("/clusters")
@allow(May.LOOK)
def customers() -> ResponseReturnValue:
    """List the customers."""
    order, after = query.one_of(Order, "order") or Order.NEWEST, query.whole_number("after")
    with database.lookups() as connection:
        page = browsing.customers(connection, order, after=after)
        small = [each.primary_id for each in page.customers if each.contacts <= members.LARGE]
        names = members.names(connection, small)
    return render_template(
        "clusters.html",
        page=page,
        names=names,
        after=after,
        order=order,
        orders=ORDERS,
    )
