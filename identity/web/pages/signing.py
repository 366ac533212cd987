"""Signing in and out."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from limits import parse

from identity import access, auditing
from identity.auditing import Deed
from identity.web import blueprint, charging, current, sessions
from identity.web.marks import May, allow, when_too_old
from identity.web.old_forms import lead_to
from identity.web.pages.forms import SignInForm

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
    named = bool(access.users_by_name())
    status = 401 if form.errors else 200
    return render_template(
        "sign_in.html", form=form, named=named, anybody=named or current.config().password
    ), status


def _let_in(name: str, password: str) -> bool:
    if not is_right(name, password):
        return False
    sessions.begin(name, charging.coarsely())
    return True


def is_right(name: str, password: str) -> bool:
    """Tell whether a password is right, on record when it is not; raise when there were many."""
    limiter = current.limiter()
    address = f"sign-in:{charging.neighbourhood()}"
    limiter.count(ATTEMPTS_OF_AN_ADDRESS, address)
    if name and not access.is_name(name):
        # Nobody is called that, and PostgreSQL refuses even to look.
        auditing.note(Deed.SIGN_IN_FAILED, None, came_from=charging.coarsely())
        return False
    limiter.count(ATTEMPTS, f"{address}:{name}")
    if not sessions.is_right(name, password):
        _note_failure(name)
        return False
    limiter.pardon(ATTEMPTS, f"{address}:{name}")
    return True


def _note_failure(name: str) -> None:
    # Whatever else was typed may be somebody's email, or their password in the wrong field.
    shared = access.ENVIRONMENT_USER if current.config().password else None
    known = name if access.password_hash_of(name) else None
    auditing.note(Deed.SIGN_IN_FAILED, known if name else shared, came_from=charging.coarsely())


def _stay_signed_in() -> ResponseReturnValue:
    # This form stands on every page and has none of its own.
    return lead_to(url_for("web.home"))


@blueprint.post("/sign-out")
@allow(May.VISITOR)
@when_too_old(_stay_signed_in)
def sign_out() -> ResponseReturnValue:
    """End the session."""
    sessions.end()
    response = redirect(url_for("web.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _destination() -> str:
    to = request.args.get("to", "")
    # A path of ours: "//elsewhere" and "/\elsewhere" would lead away.
    inside = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if inside else url_for("web.home")
