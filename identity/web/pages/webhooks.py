"""Webhooks, for administrators: made, looked after, and what each was sent."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from identity import database
from identity.errors import Conflict, InvalidInput
from identity.models import MessageState
from identity.web import blueprint, callers, current, old_forms, paths, query
from identity.web.marks import May, allow, when_too_old
from identity.webhooks import addresses, listing, register, standing

KINDS = {
    "created": "a customer is new",
    "grown": "there is more of a customer: a contact, or what a contact says",
    "merged": "customers are one",
    "taken_apart": "there is less of a customer: it is several now, or lost a contact, or ceased",
    "primary_changed": "a customer is known by another id",
    "erased": "a person is erased",
}
"""Each kind of change, as people read it."""
STATES = {
    MessageState.WAITING: "Waiting",
    MessageState.DELIVERED: "Delivered",
    MessageState.FAILED: "Failed",
}


@blueprint.route("/webhooks", methods=["GET", "POST"])
@allow(May.ADMINISTER)
def webhooks() -> ResponseReturnValue:
    """List the webhooks; make one more, and show its secret, once."""
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            url, chosen = request.form.get("url", ""), request.form.getlist("kinds")
            rules, key = addresses.rules(current.config()), current.secret_key()
            made, secret = register.add(url, chosen, rules, key, _by())
        except InvalidInput as problem:
            wrong = problem.fields
        else:
            return render_template("webhook_secret.html", webhook_id=made, secret=secret, new=True)
    hooks = database.read(standing.listed)
    many = {each.id: database.read(_counting(each.id)) for each in hooks}
    return render_template(
        "webhooks.html",
        hooks=hooks,
        many=many,
        counted_up_to=listing.COUNTED,
        kinds=KINDS,
        chosen=request.form.getlist("kinds") or list(KINDS),
        url=request.form.get("url", ""),
        wrong=wrong,
    ), 400 if wrong else 200


def _counting(webhook_id: int) -> Callable[[Connection], dict[MessageState, int]]:
    return lambda connection: listing.counts(connection, webhook_id)


@blueprint.get(paths.WEBHOOK)
@allow(May.ADMINISTER)
def webhook_page(webhook_id: int) -> ResponseReturnValue:
    """Show a webhook, and what it was sent, each with every try."""
    state, before = query.one_of(MessageState, "state"), query.whole_number("before")
    hook = database.read(lambda connection: standing.get(connection, webhook_id))
    sent, more = database.read(lambda c: listing.page(c, webhook_id, state, before))
    return render_template(
        "webhook.html",
        hook=hook,
        sent=sent,
        many=database.read(_counting(webhook_id)),
        counted_up_to=listing.COUNTED,
        states=STATES,
        state=state,
        kinds=KINDS,
        before=before,
        older=sent[-1].id if more else None,
    )


def _too_old(**_: object) -> ResponseReturnValue:
    # These forms have no page at their own addresses.
    return old_forms.lead_to(url_for("web.webhooks"))


@blueprint.post(f"{paths.WEBHOOK}/test")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def test_webhook(webhook_id: int) -> ResponseReturnValue:
    """Let a test be sent."""
    listing.send_test(webhook_id, _by())
    return _back(webhook_id, "A test is on its way. Look again in a moment.")


@blueprint.post(f"{paths.WEBHOOK}/rotation")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def rotate_webhook(webhook_id: int) -> ResponseReturnValue:
    """Give a webhook another secret, and show it, once."""
    at_once = "at_once" in request.form
    secret = register.rotate(webhook_id, current.secret_key(), _by(), at_once=at_once)
    return render_template(
        "webhook_secret.html", webhook_id=webhook_id, secret=secret, new=False, at_once=at_once
    )


@blueprint.post(f"{paths.WEBHOOK}/enabling")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def enable_webhook(webhook_id: int) -> ResponseReturnValue:
    """Send messages again."""
    from_now = "from_now" in request.form
    return _done(
        webhook_id,
        lambda: register.enable(webhook_id, _by(), from_now=from_now),
        "The webhook is sent messages again.",
    )


@blueprint.post(f"{paths.WEBHOOK}/disabling")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def disable_webhook(webhook_id: int) -> ResponseReturnValue:
    """Send nothing until it is enabled."""
    return _done(
        webhook_id,
        lambda: register.disable(webhook_id, _by()),
        "The webhook is sent nothing until it is enabled.",
    )


@blueprint.post(f"{paths.WEBHOOK}/removal")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def remove_webhook(webhook_id: int) -> ResponseReturnValue:
    """Send nothing any more."""
    register.remove(webhook_id, _by())
    flash("The webhook is removed.")
    return redirect(url_for("web.webhooks"), 303)


@blueprint.post(f"{paths.MESSAGE}/again")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def send_again(message_id: int) -> ResponseReturnValue:
    """Let a message be sent again."""
    sent = database.read(lambda connection: listing.get(connection, message_id))
    return _done(
        sent.webhook_id,
        lambda: listing.send_again(message_id, _by()),
        f"Message {message_id} is on its way again.",
    )


def _done(webhook_id: int, do: Callable[[], object], told: str) -> ResponseReturnValue:
    """Do something and lead back; somebody else may have been quicker."""
    try:
        do()
    except Conflict as problem:
        flash(str(problem), "attention")
        return redirect(url_for("web.webhook_page", webhook_id=webhook_id), 303)
    return _back(webhook_id, told)


def _back(webhook_id: int, told: str) -> ResponseReturnValue:
    flash(told)
    return redirect(url_for("web.webhook_page", webhook_id=webhook_id), 303)


def _by() -> str:
    return callers.source("a browser")
