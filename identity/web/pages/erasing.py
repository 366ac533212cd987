"""Forgetting in a browser: what would go, who is left, and that it was done.

Which identifiers of a customer are meant is said in a body, by names that stand for them.
"""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import database, evidence
from identity.auditing import Deed
from identity.clusters import Cluster
from identity.erasing import applying, register
from identity.erasing.plans import COUNTED
from identity.erasing.reach import Wanted
from identity.errors import Conflict, IdentityError, InvalidInput
from identity.identifiers import Value
from identity.rulings import orders
from identity.rulings.applying import Ordered
from identity.web import blueprint, callers, domain, paths, query
from identity.web.errors import STATUS
from identity.web.marks import May, allow, recorded

FEW = 50
"""Identifiers up to which one may choose among them. Of a larger customer all are meant."""
FORGET = f"{paths.CLUSTER}/forget"
NOTHING_CHOSEN = "Choose what is the person's."
OVERTAKEN = "Somebody changed this customer meanwhile. Nothing was done. This is what would go now."


@blueprint.get(FORGET)
@allow(May.RULE)
@recorded(Deed.CUSTOMER_OPENED)
def forget(contact_id: int) -> ResponseReturnValue:
    """Ask which identifiers are the person's; of a single one, show what would go."""
    cluster = domain.cluster_of(contact_id)
    # A customer may be several people, and nobody is to erase the others by pressing on.
    return _page(cluster, []) if len(_names(cluster)) > 1 else _planned(cluster, None)


@blueprint.post(FORGET)
@allow(May.RULE)
@recorded(Deed.CUSTOMER_OPENED)
def forget_now(contact_id: int) -> ResponseReturnValue:
    """Forget a person as it was shown; or show what else would go."""
    cluster = domain.cluster_of(contact_id)
    chosen = request.form.getlist("chosen") if "choosing" in request.form else None
    if "all" in request.form:
        chosen = list(_names(cluster))
    if "plan" not in request.form:
        return _planned(cluster, chosen)
    given = request.form.get("reason", "")
    try:
        reason = orders.reason(given)
        ordered = Ordered(callers.source("form"), reason, request.form["plan"])
        registered, _ = applying.erase(_wanted(cluster, chosen), ordered)
    except InvalidInput as problem:
        wrong = problem.fields.get("reason", str(problem))
        return _planned(cluster, chosen, wrong=wrong, reason=given)
    except Conflict as problem:
        notice = OVERTAKEN if "plan" in problem.told else str(problem)
        return _planned(cluster, chosen, notice=notice, reason=given)
    flash("The person is forgotten.")
    return redirect(url_for("web.erasure_page", erasure_id=registered.id), 303)


@blueprint.get("/review/erasures")
@allow(May.LOOK)
def erasures_page() -> ResponseReturnValue:
    """List the erasures."""
    before = query.whole_number("before")
    found, more = register.latest(before)
    older = url_for("web.erasures_page", before=found[-1].id) if more else None
    return render_template("erasures.html", erasures=found, older=older, before=before)


@blueprint.get(f"/review{paths.ERASURE}")
@allow(May.LOOK)
def erasure_page(erasure_id: int) -> ResponseReturnValue:
    """Show an erasure: who ordered it, how much went, and which ids are left."""
    registered = register.get(erasure_id)
    return render_template("erasure.html", erasure=registered, counted_as=COUNTED)


def _names(cluster: Cluster) -> Mapping[str, Value]:
    """Return the identifiers of a customer by names that may stand in a form; none of many."""
    values = list(cluster.values())
    if len(values) > FEW:
        return {}
    holders = database.read(lambda connection: evidence.holders_of(connection, values))
    return {f"{value.kind.value[0]}{holders.get(value)}": value for value in values}


def _wanted(cluster: Cluster, chosen: list[str] | None) -> Wanted:
    names = _names(cluster)
    values = frozenset(names[name] for name in chosen or () if name in names)
    if chosen is not None and not values:
        raise InvalidInput(NOTHING_CHOSEN, {"chosen": NOTHING_CHOSEN})
    if chosen is None or len(values) == len(names):
        return Wanted(customer=cluster.primary_id)
    return Wanted(values)


def _planned(
    cluster: Cluster,
    chosen: list[str] | None,
    *,
    notice: str = "",
    wrong: str = "",
    reason: str = "",
) -> ResponseReturnValue:
    said = {"notice": notice, "wrong": wrong, "reason": reason}
    try:
        plan = applying.plan(_wanted(cluster, chosen)).as_json()
    except IdentityError as problem:
        return _page(cluster, chosen, problem=problem, **said), STATUS[type(problem)]
    return _page(cluster, chosen, plan=plan, **said), 409 if notice else 400 if wrong else 200


def _page(cluster: Cluster, chosen: list[str] | None, **told: Any) -> str:
    return render_template(
        "forget.html",
        primary_id=cluster.primary_id,
        names=_names(cluster),
        chosen=chosen or [],
        choosing=chosen is not None,
        counted_as=COUNTED,
        **told,
    )
