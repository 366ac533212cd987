"""Adding a contact in a browser: what would happen first, and then the button that does it.

What is to be added is sealed in the address of its preview: Back and reload work, and no email
or phone number is in an address.
"""

from collections.abc import Iterator

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from identity import fillers, reconciliation
from identity.clusters import Cluster
from identity.counting import counted
from identity.errors import InvalidInput
from identity.identifiers import Identifiers, Value
from identity.models import EventKind
from identity.reconciliation import Foreseen, Outcome
from identity.rulings.kinds import Apart, LinksNobody
from identity.rulings.plans import published
from identity.web import blueprint, callers, current
from identity.web.domain import decide, region
from identity.web.marks import May, allow, when_too_old
from identity.web.old_forms import lead_to
from identity.web.pages import previews, sealed, telling
from identity.web.pages.forms import AddForm

ADDING = "adding"
CHANGED = "Somebody changed these customers meanwhile. Nothing was done. See what would happen now."


def address(given: Identifiers) -> str:
    """Return where adding something is previewed."""
    return url_for("web.adding", given=sealed.seal([given.email, given.phone_number], ADDING))


def _as_filled_in() -> ResponseReturnValue:
    # Elsewhere a form is empty again; here somebody may have typed for a while.
    return render_template("add.html", form=AddForm(), too_old=True), 400


@blueprint.route("/add", methods=["GET", "POST"])
@allow(May.RULE)
@when_too_old(_as_filled_in)
def add() -> ResponseReturnValue:
    """Ask what to add, and lead to what would happen."""
    form = AddForm()
    given = form.identifiers(region())
    if given is None:
        return render_template("add.html", form=form), 400 if form.errors else 200
    try:
        reconciliation.foresee(given, source=callers.source("form"))
    except InvalidInput as problem:
        form.tell(problem)
        return render_template("add.html", form=form), 400
    return redirect(address(given), 303)


@blueprint.get("/add/<given>")
@allow(May.RULE)
def adding(given: str) -> ResponseReturnValue:
    """Show what adding something would do."""
    what = Identifiers(*sealed.unseal(given, ADDING))
    return _page(what, reconciliation.foresee(what, source=callers.source("form")))


def _here_again() -> ResponseReturnValue:
    return lead_to(request.path)


@blueprint.post("/add/<given>")
@allow(May.RULE)
@when_too_old(_here_again)
def carry_out_adding(given: str) -> ResponseReturnValue:
    """Add something, if that does what was shown."""
    what = Identifiers(*sealed.unseal(given, ADDING))
    foreseen = reconciliation.foresee(what, source=callers.source("form"))
    # Where nothing is left to do, as when a button was pressed twice, nobody needs to agree to it.
    if foreseen.event is not None and request.form.get("seen") != _seen(foreseen):
        return _page(what, foreseen, notice=CHANGED), 409
    outcome = decide(what, "form")
    flash(_told(what, outcome))
    if outcome.kept_apart_from is not None and outcome.event is not EventKind.HELD:
        flash(telling.KEPT_APART)
    if outcome.links_nobody is not None:
        flash(telling.LINKS_NOBODY[outcome.links_nobody])
    # 303: the browser asks with GET, and reloading the page sends nothing twice.
    return redirect(url_for("web.cluster", contact_id=outcome.cluster.primary_id), 303)


def _page(what: Identifiers, foreseen: Foreseen, notice: str = "") -> str:
    return render_template(
        "adding.html",
        what=what,
        event=foreseen.event,
        customers=[published(cluster) for cluster in foreseen.clusters],
        kept_apart_from=foreseen.kept_apart_from,
        links_nobody=foreseen.links_nobody and telling.LINKS_NOBODY[foreseen.links_nobody],
        moved=_moved(foreseen.clusters),
        button=_button(foreseen),
        seen=_seen(foreseen),
        shared=list(_shared(what, foreseen)),
        notice=notice,
    )


def _told(what: Identifiers, outcome: Outcome) -> Markup:
    said = Markup("{}").format(telling.flash(outcome.event))
    if outcome.event is not EventKind.CLUSTERS_MERGED:
        return said
    one, other = what.values()
    return said + Markup(' <a href="{}">Take apart</a>').format(previews.address(Apart(one, other)))


def _moved(clusters: tuple[Cluster, ...]) -> int:
    """Return how many contacts a merge would move."""
    return sum(len(cluster.members) for cluster in clusters[1:])


def _button(foreseen: Foreseen) -> str | None:
    """Return what the button says: the effect, and its number; None when nothing is new."""
    if foreseen.event is EventKind.CONTACT_CREATED:
        return "Add 1 new customer"
    if foreseen.event is None:
        return None
    first = foreseen.clusters[0].primary_id
    return {
        EventKind.CONTACT_LINKED: f"Add 1 contact to customer {first}",
        EventKind.CLUSTERS_MERGED: (
            f"Merge {counted(_moved(foreseen.clusters), 'contact')} into customer {first}"
        ),
        EventKind.LINK_SEEN: f"Add 1 link to customer {first}",
        EventKind.HELD: "Add both, and keep 2 customers apart",
    }[foreseen.event]


def _seen(foreseen: Foreseen) -> str:
    """Return what must still be so when the button is pressed."""
    customers = (f"{each.primary_id}x{len(each.members)}" for each in foreseen.clusters)
    return " ".join((str(foreseen.event), *customers, str(foreseen.kept_apart_from)))


def _shared(what: Identifiers, foreseen: Foreseen) -> Iterator[dict[str, object]]:
    """Yield each value by which strangers would be joined, and the way to rule that it is nobody's.

    Only where adding joins: whoever is new is joined to nobody, and who is known already is.
    """
    if foreseen.event is None:
        return
    many = current.config().many_strangers
    for value in what.values():
        for cluster in foreseen.clusters:
            strangers = _with(value, cluster)
            looks = fillers.looks_like_filler(value)
            if strangers and (looks or fillers.too_many(value, strangers, many=many)):
                yield {
                    "value": value,
                    "strangers": strangers,
                    "looks": looks,
                    "address": previews.address(LinksNobody(value), request.path),
                }


def _with(value: Value, cluster: Cluster) -> int:
    """Return how many other identifiers a customer gave together with a value."""
    pairs = ((member.email, member.phone_number) for member in cluster.members)
    return len({text for pair in pairs if value.text in pair for text in pair} - {value.text, None})
