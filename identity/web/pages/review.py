"""The review: what looks wrong, each with the ruling that fits, and with *Fine*."""

from collections.abc import Callable

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import pass_context
from jinja2.runtime import Context
from sqlalchemy import Connection

from identity import database
from identity.errors import IdentityError, NotFound
from identity.remembering import Remembered
from identity.reviewing import country_codes, findings, sweeping
from identity.reviewing.findings import Kind, Noted
from identity.web import blueprint, callers, current, old_forms, paths, query
from identity.web.domain import region
from identity.web.marks import May, allow, when_too_old
from identity.web.pages import finding_words
from identity.web.pages.finding_titles import KINDS, title

PATIENCE = 2.0
"""Seconds that somebody who looks waits for others who are about to write."""
AT_ONCE = 5.0
"""Seconds for which what was told is looked at while somebody waits."""


@blueprint.get("/review")
@allow(May.LOOK)
def review() -> ResponseReturnValue:
    """Show what is to be looked at, a kind at a time."""
    kind = query.one_of(Kind, "kind")
    with database.by_index() as connection:
        counts = findings.counts(connection)
        kind = kind or next((each for each in Kind if counts[each]), Kind.FILLER)
        found = findings.largest(connection, kind, _asked_for("after", connection))
        shown = finding_words.shown(connection, kind, found[: findings.PAGE], many())
        fine = _asked_for("fine", connection)
    return render_template(
        "review.html",
        kind=kind,
        kinds=KINDS,
        counts=counts,
        shown=shown,
        after=found[findings.PAGE - 1].id if len(found) > findings.PAGE else None,
        fine=fine if fine and fine.fine_at else None,
        behind=sweeping.is_due(),
        enough=country_codes.ENOUGH,
    )


@blueprint.get("/review/fine")
@allow(May.LOOK)
def said_fine() -> ResponseReturnValue:
    """List what somebody said is fine."""
    with database.snapshot() as connection:
        found = findings.said_fine(connection, _asked_for("before", connection))
    before = found[findings.PAGE - 1].id if len(found) > findings.PAGE else None
    return render_template("fine.html", found=found[: findings.PAGE], before=before, kinds=KINDS)


def _back_to_review() -> ResponseReturnValue:
    # These buttons have no page at their own addresses.
    return old_forms.lead_to(url_for("web.review", kind=request.form.get("kind")))


@blueprint.post(f"/review{paths.FINDING}/fine")
@allow(May.RULE)
@when_too_old(_back_to_review)
def say_fine(finding_id: int) -> ResponseReturnValue:
    """Remember that a finding is fine."""
    kept = findings.say_fine(finding_id, callers.source("form"))
    _count_again()
    return redirect(url_for("web.review", kind=kept.kind, fine=kept.id), 303)


@blueprint.post(f"/review{paths.FINDING}/again")
@allow(May.RULE)
@when_too_old(_back_to_review)
def look_again(finding_id: int) -> ResponseReturnValue:
    """Forget that somebody said that a finding is fine."""
    kept = findings.look_again(finding_id)
    _count_again()
    flash("It is among those to look at again." if kept.many else "It is right by now.")
    return redirect(url_for("web.review", kind=kept.kind), 303)


@blueprint.post("/review/sweep")
@allow(May.RULE)
@when_too_old(_back_to_review)
def sweep_now() -> ResponseReturnValue:
    """Look at what was told and not looked at yet."""
    swept = sweeping.sweep(many(), seconds=AT_ONCE, patience=PATIENCE)
    _count_again()
    if swept.finished:
        flash("Everything that was told until now is looked at.")
    else:
        flash("Some more of what was told is looked at; not all of it yet.", "attention")
    return redirect(url_for("web.review", kind=request.form.get("kind")), 303)


def many() -> int:
    """Return how many strangers on one value are too many."""
    return current.config().many_strangers


def without_country_code() -> int:
    """Return how many phone numbers came without a country code while no region is set.

    They are counted up to `country_codes.ENOUGH`; 0 where a region is set.
    """
    if region() is not None:
        return 0
    return database.read(country_codes.without_code)


def _asked_for(name: str, connection: Connection) -> Noted | None:
    """Return the finding that a parameter names, None where it names none."""
    finding_id = query.whole_number(name)
    try:
        return findings.get(connection, finding_id) if finding_id is not None else None
    except NotFound:
        return None


def _count(_: str) -> int | None:
    try:
        return database.read(findings.count)
    except IdentityError:
        return None


def to_review() -> int | None:
    """Return how many findings there are to look at, asking for it now and then."""
    return _counted()("open")


def _counted() -> Remembered[int | None]:
    remembered: Remembered[int | None] = current_app.extensions.setdefault(
        "findings", Remembered(_count)
    )
    return remembered


def _count_again() -> None:
    _counted().forget()


@pass_context
def _in_the_menu(context: Context) -> int | None:
    # A page that says that the database is away must not wait for it once more.
    if int(context.get("status", 200)) >= 500:
        return None
    return _counted()("open")


blueprint.add_app_template_filter(title, "finding")


@blueprint.app_context_processor
def _in_templates() -> dict[str, Callable[..., int | None]]:
    return {"to_review": _in_the_menu, "without_country_code": without_country_code}
