"""The form: look up or submit what somebody gave, beside what happened last.

A page that only shows never writes. Emails and phone numbers stay out of addresses, which
end up in histories and logs: what is looked up is sent in a body.
"""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from identity import browsing, database, events, reconciliation
from identity.errors import InvalidInput
from identity.identifiers import Identifiers
from identity.models import EventKind
from identity.reconciliation import Looked, Outcome
from identity.web import blueprint, telling
from identity.web.domain import decide, region
from identity.web.forms import IdentifyForm
from identity.web.marks import May, allow, when_too_old

LATEST = 6


def _as_filled_in() -> ResponseReturnValue:
    # Elsewhere a form is empty again; here somebody may have typed for a while.
    return _home(IdentifyForm(), too_old=True), 400


@blueprint.route("/", methods=["GET", "POST"])
@allow(May.USER)
@when_too_old(_as_filled_in)
def home() -> ResponseReturnValue:
    """Show the form; look up or submit what was typed."""
    form = IdentifyForm()
    given = form.identifiers(region())
    if given is None:
        return _home(form), 400 if form.errors else 200
    try:
        return _submit(given) if form.submit.data else _look_up(form, given)
    except InvalidInput as problem:
        form.tell(problem)
        return _home(form), 400


def _home(form: IdentifyForm, **more: object) -> str:
    latest = database.read(lambda connection: events.latest(connection, LATEST))
    figures = database.read(browsing.figures)
    return render_template("home.html", form=form, latest=latest, figures=figures, **more)


def _submit(given: Identifiers) -> ResponseReturnValue:
    outcome = decide(given, "form")
    flash(telling.flash(outcome.event))
    if outcome.kept_apart_from is not None and outcome.event is not EventKind.HELD:
        flash(telling.KEPT_APART)
    return _see(outcome)


def _look_up(form: IdentifyForm, given: Identifiers) -> ResponseReturnValue:
    looked = reconciliation.look_up(given)
    if looked is None:
        reconciliation.check_left(given)
    elif not (looked.would_merge_with or looked.kept_apart_from):
        return _see(looked)
    return _home(form, looked_up=True, looked=looked)


def _see(found: Outcome | Looked) -> ResponseReturnValue:
    if found.links_nobody is not None:
        flash(telling.LINKS_NOBODY[found.links_nobody])
    # 303: the browser asks with GET, and reloading the page sends nothing twice.
    return redirect(url_for("web.cluster", contact_id=found.cluster.primary_id), 303)
