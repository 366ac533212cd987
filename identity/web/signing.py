"""Signing in and out."""

from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from limits import parse

from identity import access
from identity.config import Config
from identity.web import auth, blueprint
from identity.web.auth import May, allow
from identity.web.forms import SignInForm
from identity.web.limits import Limiter
from identity.web.pages import SIGN_OUT

ATTEMPTS = parse("10/15 minutes")
"""For one name, from one address. Not from all together: that would let strangers lock them out."""
ATTEMPTS_OF_AN_ADDRESS = parse("60/15 minutes")
"""For all names, of users who share an office."""


@blueprint.route("/sign-in", methods=["GET", "POST"])
@allow(May.VISITOR)
def sign_in() -> ResponseReturnValue:
    """Ask for a password, and begin a session when it is right."""
    form = SignInForm()
    if form.validate_on_submit():
        name = (form.user.data or "").strip()
        if _let_in(name, form.password.data or ""):
            return redirect(_destination(), 303)
        form.password.errors = ["The name or the password is not right."]
    config: Config = current_app.config["IDENTITY"]
    named = bool(access.users())
    status = 401 if form.errors else 200
    return render_template(
        "sign_in.html", form=form, named=named, anybody=named or config.password
    ), status


def _let_in(name: str, password: str) -> bool:
    limiter: Limiter = current_app.config["LIMITER"]
    address = f"sign-in:{auth.neighbourhood()}"
    limiter.count(ATTEMPTS_OF_AN_ADDRESS, address)
    if name and not access.is_name(name):
        # Nobody is called that, and PostgreSQL refuses even to look.
        return False
    limiter.count(ATTEMPTS, f"{address}:{name}")
    if not auth.sign_in(name, password):
        return False
    limiter.pardon(ATTEMPTS, f"{address}:{name}")
    return True


@blueprint.post(SIGN_OUT)
@allow(May.VISITOR)
def sign_out() -> ResponseReturnValue:
    """End the session."""
    session.clear()
    return redirect(url_for("web.sign_in"), 303)


def _destination() -> str:
    to = request.args.get("to", "")
    # A path of ours: "//elsewhere" and "/\elsewhere" would lead away.
    inside = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if inside else url_for("web.home")
