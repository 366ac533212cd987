"""The audit trail: which person did what, for administrators."""

from flask import render_template
from flask.typing import ResponseReturnValue

from identity import auditing, database
from identity.auditing import Deed, Line, Wanted
from identity.web import blueprint, query
from identity.web.marks import May, allow

SHOWN = 50
WORDS = {
    Deed.SIGNED_IN: "Signed in",
    Deed.SIGN_IN_FAILED: "Tried to sign in",
    Deed.SIGNED_OUT: "Signed out",
    Deed.SIGNED_OUT_EVERYWHERE: "Signed somebody out everywhere",
    Deed.SEARCHED: "Searched",
    Deed.CUSTOMER_OPENED: "Opened a customer",
    Deed.LOOKED_UP: "Looked somebody up",
    Deed.EXPORTED: "Exported",
    Deed.RECORD_TAKEN: "Took a customer's record",
    Deed.ACCESS_GIVEN: "Looked at all on record about a customer",
    Deed.REJECTS_TAKEN: "Took rejected rows",
    Deed.REPORT_MADE: "Made a report",
    Deed.REPORT_OPENED: "Opened the report",
    Deed.IMPORTED: "Imported",
    Deed.RULED: "Ruled",
    Deed.RULING_UNDONE: "Undid a ruling",
    Deed.ERASED: "Forgot a person",
    Deed.ERASURE_LIFTED: "Let somebody come back",
    Deed.ERASURE_KEY_GIVEN_UP: "Gave up a lost key of erasures",
    Deed.USER_CREATED: "Created a user",
    Deed.PASSWORD_CHANGED: "Changed a password",
    Deed.ROLE_CHANGED: "Changed a role",
    Deed.USER_REMOVED: "Removed a user",
    Deed.KEY_CREATED: "Created a key",
    Deed.KEY_REVOKED: "Revoked a key",
    Deed.WEBHOOK_ADDED: "Added a webhook",
    Deed.WEBHOOK_ROTATED: "Gave a webhook another secret",
    Deed.WEBHOOK_ENABLED: "Enabled a webhook",
    Deed.WEBHOOK_DISABLED: "Disabled a webhook",
    Deed.WEBHOOK_REMOVED: "Removed a webhook",
    Deed.WEBHOOK_TESTED: "Sent a test to a webhook",
    Deed.MESSAGE_SENT_AGAIN: "Sent a message again",
    Deed.LOCAL_LET_IN: "Let this machine in without a key",
}
"""Each kind of line, as people read it."""
KINDS = (
    ({Deed.CUSTOMER_OPENED, Deed.LOOKED_UP, Deed.RECORD_TAKEN, Deed.ACCESS_GIVEN}, "customer"),
    ({Deed.IMPORTED, Deed.REJECTS_TAKEN}, "import"),
    ({Deed.RULED, Deed.RULING_UNDONE}, "ruling"),
    ({Deed.ERASED, Deed.ERASURE_LIFTED}, "erasure"),
    ({deed for deed in Deed if deed.startswith("webhook_")}, "webhook"),
    ({Deed.MESSAGE_SENT_AGAIN}, "message"),
)
"""What the ids of lines are ids of."""


@blueprint.get("/audit")
@allow(May.ADMINISTER)
def audit() -> ResponseReturnValue:
    """Show who did what: all of it, or what somebody did, of one kind, on one day."""
    wanted = Wanted(query.text("who"), query.one_of(Deed, "what"), query.day("day"))
    before = query.whole_number("before")
    lines, more = database.read(lambda connection: auditing.page(connection, wanted, before, SHOWN))
    return render_template(
        "audit.html",
        lines=lines,
        wanted=wanted,
        words=WORDS,
        before=before,
        older=lines[-1].id if more else None,
    )


def about(line: Line) -> str:
    """Return what a line is about, with its kind where that is an id."""
    if line.about is None or not line.about.isdecimal():
        return line.about or ""
    return f"{next((kind for deeds, kind in KINDS if line.what in deeds), '')} {line.about}"


blueprint.add_app_template_filter(about, "about")
