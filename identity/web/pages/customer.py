"""One customer: the facts, why they are one, and what can be done about it.

Emails and phone numbers stay out of addresses, which end up in histories and logs: an identifier
is named by the contact that brought it.
"""

from collections.abc import Iterator
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import database, keeping
from identity.auditing import Deed
from identity.identifiers import Value
from identity.keeping import Concerning
from identity.portraying import history, portraits
from identity.portraying.graphs import Edge, Point
from identity.portraying.holding import holding
from identity.portraying.portraits import Portrait
from identity.rulings.kinds import Apart, LinksNobody
from identity.web import blueprint, current, domain, paths, query
from identity.web.marks import May, allow, recorded
from identity.web.pages import choosing, previews
from identity.web.pages.choosing import Asked
from identity.web.pages.facts import Facts, Health
from identity.web.pages.picture import picture

SHOWN = 25
"""Contacts of one customer on a page, unless all are asked for; so with links and names."""
HAPPENED = 20
"""Events of one customer, likewise."""


@blueprint.get(paths.CLUSTER)
@allow(May.LOOK)
@recorded(Deed.CUSTOMER_OPENED)
def cluster(contact_id: int) -> ResponseReturnValue:
    """Show a customer; the id of a secondary leads to its primary, with the contact marked."""
    primary, contacts = domain.head_of(contact_id)
    if contact_id != primary.id:
        anchor = f"contact-{contact_id}"
        there = url_for("web.cluster", contact_id=primary.id, contact=contact_id)
        return redirect(f"{there}#{anchor}")
    asked, after = Asked.read(), query.whole_number("contacts")
    marked = query.whole_number("contact")
    whole = "all" in request.args
    with database.lookups() as connection:
        portrait = portraits.portrait(
            connection, primary, contacts, asked.names, after=after, marked=marked
        )
        if portrait is None:
            raise domain.missing(contact_id)
        most = None if whole and portrait.is_whole else HAPPENED
        lines = history.page(connection, primary.id, most, query.whole_number("before"))
        kept = keeping.of(connection, portrait)
    return _page(portrait, asked, marked, lines, kept)


def _page(
    portrait: Portrait, asked: Asked, marked: int | None, lines: history.Page, kept: Concerning
) -> str:
    primary_id = portrait.primary.id
    whole = portrait.is_whole and "all" in request.args
    held = holding(portrait.graph) if portrait.is_whole else None
    chosen = choosing.chosen(asked, portrait, held)
    shown = None if whole else SHOWN
    facts = Facts(portrait, lines.heard, held)
    return render_template(
        "cluster.html",
        portrait=portrait,
        facts=facts,
        offers=list(_offers(facts.health)),
        chosen=chosen,
        picture=picture(portrait.graph, primary_id, chosen.things, held),
        held=held,
        kept=kept,
        members=[
            m
            for number, m in enumerate(portrait.cluster.members)
            if _fits(number, m.id, shown, marked) or not portrait.is_whole
        ],
        marked=marked,
        shown=shown,
        whole=whole,
        history=lines,
        before=query.whole_number("before"),
        retained=current.config().retain_history,
        **_ways(primary_id, chosen),
    )


def _offers(health: Health) -> Iterator[tuple[str, str, str | None]]:
    """Yield what fits what holds a customer together: label, preview, and why if it is known.

    Nothing need be looked for then in a picture of thousands.
    """
    if health.shared:
        value, _ = health.shared
        yield f"Let {value.text} link nobody…", previews.address(LinksNobody(value)), health.reason
    if health.weakest:
        ends = (Value(end.kind, end.value) for end in (health.weakest.email, health.weakest.phone))
        yield "Take apart at the weakest link…", previews.address(Apart(*ends)), None


def _fits(number: int, id_: int, shown: int | None, marked: int | None) -> bool:
    # Whoever followed a link to one contact must find it, however far down it stands.
    return shown is None or number < shown or id_ == marked


def _ways(primary_id: int, chosen: choosing.Chosen) -> dict[str, Any]:
    """Return where a click in the picture leads."""

    def here(**said: str) -> str:
        address = url_for("web.cluster", contact_id=primary_id, **said)  # type: ignore[arg-type]
        return f"{address}#together"

    def to_point(point: Point) -> str:
        # The second that is chosen asks about both.
        if chosen.point is not None and point != chosen.point:
            return here(at=chosen.point.name, **{"and": point.name})
        return here(at=point.name)

    def to_link(edge: Edge) -> str:
        return here(link=edge.name)

    def alone(point: Point) -> str:
        return here(at=point.name)

    return {"to_point": to_point, "to_link": to_link, "alone": alone}
