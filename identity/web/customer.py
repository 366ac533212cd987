"""One customer: the facts, why they are one, and what can be done about it.

An identifier is named by the contact that brought it, because emails and phone numbers stay out
of addresses, which end up in histories and logs.
"""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import database, events, explaining
from identity.explaining import Point, Why
from identity.identifiers import Value
from identity.models import EventKind
from identity.web import blueprint, paths, query
from identity.web.domain import cluster_of
from identity.web.marks import May, allow
from identity.web.picture import picture

SHOWN = 200
"""Contacts of one customer on a page, unless all are asked for."""
HAPPENED = 20
"""Events of one customer, likewise."""


@blueprint.get(paths.CLUSTER)
@allow(May.USER)
def cluster(contact_id: int) -> ResponseReturnValue:
    """Show a customer; the id of a secondary leads to its primary, with the contact marked."""
    found = cluster_of(contact_id)
    if contact_id != found.primary_id:
        anchor = f"contact-{contact_id}"
        primary = url_for("web.cluster", contact_id=found.primary_id, contact=contact_id)
        return redirect(f"{primary}#{anchor}")
    graph = database.read(lambda connection: explaining.graph_of(connection, found))
    history = database.read(lambda connection: events.history(connection, found.primary_id))
    start, end = graph.point(request.args.get("from")), graph.point(request.args.get("to"))
    asked = start is not None and end is not None
    whole = "all" in request.args
    shown = None if whole else SHOWN
    marked = query.whole_number("contact")

    def link_to(point: Point) -> str:
        here = url_for("web.cluster", contact_id=found.primary_id, focus=point.name)
        return f"{here}#together"

    return render_template(
        "cluster.html",
        cluster=found,
        members=[m for number, m in enumerate(found.members) if _fits(number, m.id, shown, marked)],
        marked=marked,
        graph=graph,
        picture=picture(graph, found.primary_id, graph.point(request.args.get("focus"))),
        link_to=link_to,
        links_shown=shown,
        start=start or graph.points[0],
        end=end or graph.points[-1],
        asked=asked,
        why=_why(start, end) if start and end and start != end else None,
        held=database.read(lambda connection: explaining.held_of(connection, found)),
        named=database.read(lambda connection: explaining.named_of(connection, found)),
        history=history if whole else history[:HAPPENED],
        happened=len(history),
        sources={
            entry.contact_id: entry.source
            for entry in history
            if entry.kind in (EventKind.CONTACT_CREATED, EventKind.CONTACT_LINKED)
        },
    )


def _why(start: Point, end: Point) -> Why:
    with database.snapshot() as connection:
        ends = (Value(point.kind, point.value) for point in (start, end))
        return explaining.why(connection, *ends)


def _fits(number: int, id_: int, shown: int | None, marked: int | None) -> bool:
    # Whoever followed a link to one contact must find it, however far down it stands.
    return shown is None or number < shown or id_ == marked
