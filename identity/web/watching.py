"""What people do, put on record before it is done: whoever cannot be recorded may not do it.

A line of the audit trail is the one thing that a GET writes.
"""

from flask import g, request

from identity import auditing
from identity.auditing import Deed
from identity.web import current
from identity.web.callers import Caller

DISCLOSING = {Deed.ACCESS_GIVEN}
"""What is recorded of keys, too: it is seldom, and all that there is."""
TAKING = {Deed.EXPORTED, Deed.RECORD_TAKEN, Deed.REJECTS_TAKEN} | DISCLOSING
"""What is recorded of whoever is on this machine alone, too. What they look at is nobody's else."""


def watch() -> None:
    """Put on record what the view at hand says of itself. Called before each."""
    deed: Deed | None = getattr(current.view(), "deed", None)
    caller: Caller = g.caller
    if deed is None or not (caller.is_user or deed in DISCLOSING):
        # What keys ask stands in the log, and must write nothing.
        return
    if caller.name or deed in TAKING:
        auditing.note(deed, caller.name, _about())


def _about() -> str | int | None:
    """Return the id in the address, or what is exported. What is sealed there names somebody."""
    given = request.view_args or {}
    return next((value for name, value in given.items() if name in ABOUT), None)


ABOUT = {"contact_id", "import_id", "what"}
