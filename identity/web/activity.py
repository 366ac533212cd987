"""The activity: the ledger, by the page and by kind."""

from flask import render_template
from flask.typing import ResponseReturnValue

from identity import database, events
from identity.models import EventKind
from identity.web import blueprint, query, telling
from identity.web.marks import May, allow

SHOWN = 50


@blueprint.get("/events")
@allow(May.USER)
def events_page() -> ResponseReturnValue:
    """Show the ledger, of one kind if asked."""
    kind, before = query.one_of(EventKind, "kind"), query.whole_number("before")
    entries = database.read(
        lambda connection: events.latest(connection, SHOWN + 1, kind=kind, before=before)
    )
    return render_template(
        "events.html",
        entries=entries[:SHOWN],
        kind=kind,
        kinds=telling.kinds(),
        before=entries[SHOWN - 1].id if len(entries) > SHOWN else None,
    )
