"""Who may sign in and what they may do, for administrators. The commands `user` do the same."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import access
from identity.access import Role
from identity.errors import InvalidInput, NotFound
from identity.web import blueprint, callers, old_forms
from identity.web.marks import May, allow, when_too_old
from identity.web.pages.forms import UserForm

ROLES = {
    Role.VIEWER: "Viewer: looks",
    Role.STEWARD: "Steward: rules, imports and exports, too",
    Role.ADMINISTRATOR: "Administrator: says who may, and sees who did, too",
}
OWN = "Nobody takes that away from themselves: another administrator may."


@blueprint.route("/users", methods=["GET", "POST"])
@allow(May.ADMINISTER)
def users() -> ResponseReturnValue:
    """List those who may sign in; let one more."""
    form = UserForm()
    if form.validate_on_submit() and _created(form):
        flash("The user may sign in.")
        return _back()
    page = render_template(
        "users.html", form=form, users=access.users_by_name(), roles=ROLES, me=callers.name()
    )
    return page, 400 if form.errors else 200


def _back() -> ResponseReturnValue:
    return redirect(url_for("web.users"), 303)


def _too_old() -> ResponseReturnValue:
    # These forms have no page at their own addresses.
    return old_forms.lead_to(url_for("web.users"))


@blueprint.post("/users/role")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def change_role() -> ResponseReturnValue:
    """Give somebody another role."""
    name, role = _named(), request.form.get("role", "")
    if role not in list(Role):
        raise InvalidInput("That is no role.", {"role": "role must be one of those listed."})
    access.change_role(name, Role(role), by=callers.source("a browser"))
    flash(f"{name} is a {role} now.")
    return _back()


@blueprint.post("/users/removal")
@allow(May.ADMINISTER)
@when_too_old(_too_old)
def remove_user() -> ResponseReturnValue:
    """Let somebody sign in no more."""
    name = _named()
    access.remove_user(name, by=callers.source("a browser"))
    flash(f"{name} is signed out, and may sign in no more.")
    return _back()


def _named() -> str:
    """Return whom a form is about, who is somebody else."""
    name = request.form.get("name", "")
    if not access.is_name(name):
        raise NotFound("There is no such user.")
    if name == callers.name():
        # So there always is one left who may.
        raise InvalidInput(OWN, {"name": OWN})
    return name


def _created(form: UserForm) -> bool:
    name, role = form.user.data or "", form.role.data or ""
    try:
        if role not in list(Role):
            raise InvalidInput("That is no role.")
        by = callers.source("a browser")
        access.create_user(name, form.password.data or "", Role(role), by=by)
    except InvalidInput as problem:
        wrong = form.password if str(problem).startswith("A password") else form.user
        wrong.errors = [str(problem)]
        return False
    return True
