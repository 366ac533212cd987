"""The pages people see: the form, the customers, one customer, the activity.

A page that only shows never writes. Emails and phone numbers stay out of addresses, which
end up in histories and logs: what is searched for is sent in a body, and an identifier of a
customer is named by the contact that brought it.
"""

from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from identity import browsing, clusters, database, events, evidence
from identity.browsing import Order
from identity.events import EventKind
from identity.evidence import Node
from identity.identifiers import Identifiers, as_searched
from identity.models import LARGEST_ID
from identity.web import blueprint, telling
from identity.web.api import CLUSTER_PATH, cluster_of, decide, region
from identity.web.auth import May, allow
from identity.web.forms import IdentifyForm
from identity.web.graph import picture

Choice = TypeVar("Choice", Order, EventKind)

SIGN_OUT = "/sign-out"
LATEST = 6
SHOWN = 200
"""Contacts of one customer on a page, unless all are asked for."""
HAPPENED = 20
"""Events of one customer, likewise."""
EVENTS = 50

ORDERS = {
    Order.NEWEST: "Newest",
    Order.ACTIVE: "Last activity",
    Order.LARGEST: "Most contacts",
}


@blueprint.route("/", methods=["GET", "POST"])
@allow(May.USER)
def home() -> ResponseReturnValue:
    """Show the form; look up or submit what was typed."""
    form = IdentifyForm()
    given = form.identifiers(region())
    if given is None:
        return _home(form), 400 if form.errors else 200
    if form.submit.data:
        return _submit(given)
    return _look_up(form, given)


def form_too_old(_: CSRFError) -> ResponseReturnValue:
    """Show the form again to somebody who left it open too long."""
    if request.endpoint == "web.home":
        # As it was filled in. On the other forms, little is typed or none.
        return _home(IdentifyForm(), too_old=True), 400
    flash("The page was open for too long. Try again.")
    # Each form has a page at its own address. That asks who is asking, and this does not.
    return redirect(url_for("web.home") if request.path == SIGN_OUT else request.path, 303)


def _home(form: IdentifyForm, **more: object) -> str:
    latest = database.read(lambda connection: events.latest(connection, LATEST))
    figures = database.read(browsing.figures)
    return render_template("home.html", form=form, latest=latest, figures=figures, **more)


def _submit(given: Identifiers) -> ResponseReturnValue:
    outcome = decide(given, "form")
    flash(telling.flash(outcome.event))
    return _see(outcome.cluster)


def _look_up(form: IdentifyForm, given: Identifiers) -> ResponseReturnValue:
    found = database.read(lambda connection: clusters.find(connection, given))
    if len(found.clusters) == 1:
        return _see(found.clusters[0])
    return _home(form, looked_up=True, found=found.clusters)


def _see(cluster: clusters.Cluster) -> ResponseReturnValue:
    # 303: the browser asks with GET, and reloading the page sends nothing twice.
    return redirect(url_for("web.cluster", contact_id=cluster.primary_id), 303)


@blueprint.route("/clusters", methods=["GET", "POST"])
@allow(May.USER)
def customers() -> ResponseReturnValue:
    """List the customers, or those with what was searched for."""
    typed = request.form.get("part", "").strip()
    part = as_searched(typed)
    order = _one_of(Order, "order") or Order.NEWEST
    too_short = bool(typed) and len(part) < browsing.SHORTEST
    page = None
    if typed and not too_short:
        page = database.read(lambda connection: browsing.search(connection, part))
    elif not typed:
        after = _whole_number("after")
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


@blueprint.get(CLUSTER_PATH)
@allow(May.USER)
def cluster(contact_id: int) -> ResponseReturnValue:
    """Show a customer; the id of a secondary leads to its primary, with the contact marked."""
    found = cluster_of(contact_id)
    if contact_id != found.primary_id:
        anchor = f"contact-{contact_id}"
        primary = url_for("web.cluster", contact_id=found.primary_id, contact=contact_id)
        return redirect(f"{primary}#{anchor}")
    graph = database.read(lambda connection: evidence.graph_of(connection, found))
    history = database.read(lambda connection: events.history(connection, found.primary_id))
    start, end = graph.node(request.args.get("from")), graph.node(request.args.get("to"))
    whole = "all" in request.args
    shown = None if whole else SHOWN
    marked = _whole_number("contact")

    def link_to(node: Node) -> str:
        here = url_for("web.cluster", contact_id=found.primary_id, focus=node.name)
        return f"{here}#together"

    return render_template(
        "cluster.html",
        cluster=found,
        members=[m for number, m in enumerate(found.members) if _fits(number, m.id, shown, marked)],
        marked=marked,
        graph=graph,
        picture=picture(graph, found.primary_id, graph.node(request.args.get("focus"))),
        link_to=link_to,
        links_shown=shown,
        start=start or graph.nodes[0],
        end=end or graph.nodes[-1],
        way=graph.way(start, end) if start and end else None,
        history=history if whole else history[:HAPPENED],
        happened=len(history),
        sources={
            entry.contact_id: entry.source
            for entry in history
            if entry.kind in (EventKind.CONTACT_CREATED, EventKind.CONTACT_LINKED)
        },
    )


def _fits(number: int, id_: int, shown: int | None, marked: int | None) -> bool:
    # Whoever followed a link to one contact must find it, however far down it stands.
    return shown is None or number < shown or id_ == marked


@blueprint.get("/events")
@allow(May.USER)
def events_page() -> ResponseReturnValue:
    """Show the ledger, of one kind if asked."""
    kind, before = _one_of(EventKind, "kind"), _whole_number("before")
    entries = database.read(
        lambda connection: events.latest(connection, EVENTS + 1, kind=kind, before=before)
    )
    return render_template(
        "events.html",
        entries=entries[:EVENTS],
        kind=kind,
        kinds=telling.kinds(),
        before=entries[EVENTS - 1].id if len(entries) > EVENTS else None,
    )


def _one_of(choices: type[Choice], name: str) -> Choice | None:
    given = request.args.get(name)
    return choices(given) if given in [choice.value for choice in choices] else None


def _whole_number(name: str) -> int | None:
    number = request.args.get(name, type=int)
    # A larger number is an error in either database.
    return number if number is not None and abs(number) <= LARGEST_ID else None
