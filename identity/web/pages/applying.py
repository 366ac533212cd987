"""A ruling in a browser: what it would change, applied as it was shown, and undone.

The same page shows a plan that is good, one that others have overtaken, and why there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from identity.errors import Conflict, IdentityError, InvalidInput, NotFound
from identity.rulings import applying, orders
from identity.rulings.applying import Ordered
from identity.rulings.kinds import What
from identity.rulings.plans import Plan
from identity.rulings.register import Registered
from identity.web import blueprint, callers, old_forms, paths
from identity.web.errors import STATUS
from identity.web.marks import May, allow, when_too_old
from identity.web.pages import previews, ruling_words
from identity.web.pages.ruled_customers import where_it_shows

MANY = 10_000
"""Contacts from which on it takes long enough to be announced."""
UNDO = f"/review{paths.RULING}/undo"
OVERTAKEN = (
    "Somebody changed these customers meanwhile. Nothing was done. This is what would happen now."
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page of a plan is about: a ruling, or the undoing of one."""

    what: What
    undoes: Registered | None = None

    def plan(self) -> Plan:
        """Return what would happen."""
        return applying.plan_withdrawal(self.undoes.id) if self.undoes else applying.plan(self.what)

    def carry_out(self, ordered: Ordered) -> tuple[Registered, Plan]:
        """Do it."""
        if self.undoes:
            return applying.withdraw(self.undoes.id, ordered)
        return applying.rule(self.what, ordered)

    def title(self, plan: Mapping[str, Any] | None) -> str:
        """Return what the page is called."""
        if self.undoes:
            return f"Undo ruling {self.undoes.id}"
        return ruling_words.title(self.what, plan)

    def button(self, plan: Mapping[str, Any]) -> Markup:
        """Return what its button says."""
        if self.undoes:
            return ruling_words.undo_button(self.undoes.id, plan)
        return ruling_words.button(self.what, plan)


def _here_again() -> ResponseReturnValue:
    return old_forms.lead_to(request.full_path.removesuffix("?"))


@blueprint.get("/review/plan/<ruling>")
@allow(May.RULE)
def preview(ruling: str) -> ResponseReturnValue:
    """Show what a ruling would change."""
    return _planned(Preview(previews.opened(ruling)))


@blueprint.post("/review/plan/<ruling>")
@allow(May.RULE)
@when_too_old(_here_again)
def apply_ruling(ruling: str) -> ResponseReturnValue:
    """Apply a ruling as it was shown."""
    return _carried_out(Preview(previews.opened(ruling)))


@blueprint.get(UNDO)
@allow(May.RULE)
def undo_preview(ruling_id: int) -> ResponseReturnValue:
    """Show what undoing a ruling would change."""
    return _planned(_undoing(ruling_id))


@blueprint.post(UNDO)
@allow(May.RULE)
@when_too_old(_here_again)
def undo(ruling_id: int) -> ResponseReturnValue:
    """Undo a ruling; as it was shown, where it was."""
    return _carried_out(_undoing(ruling_id))


def _undoing(ruling_id: int) -> Preview:
    registered, _ = applying.get(ruling_id)
    return Preview(registered.what, registered)


def _planned(about: Preview) -> ResponseReturnValue:
    try:
        return _page(about, about.plan().as_json())
    except (Conflict, NotFound, InvalidInput) as problem:
        return _page(about, None, problem=problem)


def _carried_out(about: Preview) -> ResponseReturnValue:
    given = request.form.get("reason", "")
    try:
        ordered = Ordered(
            callers.source("form"), orders.reason(given), request.form.get("plan") or None
        )
    except InvalidInput as problem:
        return _page(about, about.plan().as_json(), wrong=problem.fields["reason"], reason=given)
    try:
        registered, done = about.carry_out(ordered)
    except Conflict as problem:
        if "plan" in problem.told:
            return _page(about, problem.told["plan"], notice=OVERTAKEN, reason=given)
        return _page(about, None, problem=problem)
    except (NotFound, InvalidInput) as problem:
        return _page(about, None, problem=problem)
    plan = done.as_json()
    if about.undoes:
        flash(f"Ruling {registered.id} is undone: {_effect(plan)}.")
    else:
        flash(f"Done: {_effect(plan)}.", f"undo:{registered.id}")
    return redirect(_afterwards(registered, plan), 303)


def _effect(plan: Mapping[str, Any]) -> str:
    return ruling_words.becomes(plan) or "nobody changed"


def _afterwards(registered: Registered, plan: Mapping[str, Any]) -> str:
    """Return where the effect is seen: with whatever is being worked through, or the customer."""
    back = previews.back()
    if back and back.partition("?")[0] == url_for("web.review"):
        return back
    return where_it_shows(registered, plan)


def _page(
    about: Preview,
    plan: Mapping[str, Any] | None,
    *,
    problem: IdentityError | None = None,
    notice: str = "",
    wrong: str = "",
    reason: str = "",
) -> ResponseReturnValue:
    told = problem.told if isinstance(problem, Conflict) else {}
    status = STATUS[type(problem)] if problem else 409 if notice else 400 if wrong else 200
    page = render_template(
        "preview.html",
        title=about.title(plan),
        what=about.what,
        undoes=about.undoes,
        plan=plan,
        button=about.button(plan) if plan else None,
        large=plan is not None and plan["contacts"]["before"] > MANY,
        problem=problem,
        same=told.get("ruling"),
        notice=notice,
        wrong=wrong,
        reason=reason,
        back=previews.back(),
    )
    return page, status


blueprint.add_app_template_filter(ruling_words.sentence, "ruled")
blueprint.add_app_template_filter(ruling_words.becomes, "becomes")
