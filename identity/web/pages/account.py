"""What somebody who signed in may do about that: another password, and the end of all sessions."""

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from identity import access
from identity.access import ENVIRONMENT_USER
from identity.errors import InvalidInput
from identity.web import blueprint, charging, sessions
from identity.web.callers import Caller
from identity.web.marks import May, allow, when_too_old
from identity.web.old_forms import lead_to
from identity.web.pages import signing
from identity.web.pages.forms import PasswordForm


@blueprint.route("/account", methods=["GET", "POST"])
@allow(May.LOOK)
def account() -> ResponseReturnValue:
    """Show who one is, and take another password."""
    caller: Caller = g.caller
    form = PasswordForm()
    own = caller.name if caller.name != ENVIRONMENT_USER else None
    if own and form.validate_on_submit() and _changed(own, form):
        flash("Your password is changed. Whoever else was signed in as you is signed out.")
        return redirect(url_for("web.account"), 303)
    status = 400 if form.errors else 200
    return render_template(
        "account.html",
        form=form,
        caller=caller,
        own=own,
        sessions=access.sessions_of(caller.name) if caller.name else [],
    ), status


def _back_to_account() -> ResponseReturnValue:
    # This form has no page at its own address.
    return lead_to(url_for("web.account"))


@blueprint.post("/account/sessions")
@allow(May.LOOK)
@when_too_old(_back_to_account)
def sign_out_everywhere() -> ResponseReturnValue:
    """End all sessions of whoever asks."""
    caller: Caller = g.caller
    if caller.name:
        access.end_sessions_of(caller.name, caller.name)
    sessions.end()
    return redirect(url_for("web.sign_in"), 303)


def _changed(name: str, form: PasswordForm) -> bool:
    # A session that was left open is not to be taken over, nor the password guessed by it.
    if not signing.is_right(name, form.current.data or ""):
        form.current.errors = ["This is not your password."]
        return False
    try:
        access.change_password(name, form.new.data or "", by=name)
    except InvalidInput as problem:
        form.new.errors = [str(problem)]
        return False
    sessions.begin(name, charging.coarsely())
    return True
