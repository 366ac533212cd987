"""The pages people see: the form, and a customer."""

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from identity import clusters, database, reconciliation
from identity.events import EventKind
from identity.identifiers import Identifiers
from identity.web import blueprint
from identity.web.api import CLUSTER_PATH, cluster_of
from identity.web.forms import IdentifyForm

WHAT_HAPPENED = {
    EventKind.CONTACT_CREATED: "This is a new customer.",
    EventKind.CONTACT_LINKED: "A new contact was added to this customer.",
    EventKind.CLUSTERS_MERGED: "Two customers turned out to be one, and are one now.",
    EventKind.LINK_SEEN: "Both were known; that they belong together is now on record.",
    None: "Nothing new: all of this was already known.",
}


@blueprint.route("/", methods=["GET", "POST"])
def home() -> ResponseReturnValue:
    """Show the form; look up or submit what was typed."""
    form = IdentifyForm()
    given = form.identifiers(current_app.config["DEFAULT_PHONE_REGION"])
    if given is None:
        return render_template("home.html", form=form), 400 if form.errors else 200
    if form.submit.data:
        return _submit(given)
    return _look_up(form, given)


def form_too_old(_: CSRFError) -> ResponseReturnValue:
    """Show the form again, as it was filled in, to somebody who left it open too long."""
    return render_template("home.html", form=IdentifyForm(), too_old=True), 400


def _submit(given: Identifiers) -> ResponseReturnValue:
    outcome = reconciliation.identify(given, source="form")
    flash(WHAT_HAPPENED[outcome.event])
    return _see(outcome.cluster)


def _look_up(form: IdentifyForm, given: Identifiers) -> ResponseReturnValue:
    found = database.read(lambda connection: clusters.find(connection, given))
    if len(found.clusters) == 1:
        return _see(found.clusters[0])
    return render_template("home.html", form=form, looked_up=True, found=found.clusters)


def _see(cluster: clusters.Cluster) -> ResponseReturnValue:
    # 303: the browser asks with GET, and reloading the page sends nothing twice.
    return redirect(url_for("web.cluster", contact_id=cluster.primary_id), 303)


@blueprint.get(CLUSTER_PATH)
def cluster(contact_id: int) -> ResponseReturnValue:
    """Show a customer; the id of a secondary leads to its primary."""
    found = cluster_of(contact_id)
    if contact_id != found.primary_id:
        return redirect(url_for("web.cluster", contact_id=found.primary_id))
    return render_template("cluster.html", cluster=found)
