"""The form: look up or submit what somebody gave, beside what happened last.

A page that only shows never writes. Emails and phone numbers stay out of addresses, which
end up in histories and logs: what is looked up is sent in a body.
"""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from identity import browsing, clusters, database, events
from identity.identifiers import Identifiers
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
    if form.submit.data:
        return _submit(given)
    return _look_up(form, given)


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
