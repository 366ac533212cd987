"""What an import brought, in a browser; also of one that goes on, or was broken off."""

from flask import render_template

from identity import database, events
from identity.auditing import COMMAND_LINE
from identity.events import Entry
from identity.importing import register, written
from identity.models import EventKind
from identity.reviewing import growth
from identity.rulings import register as rulings
from identity.rulings.kinds import ImportWithdrawn, LinksNobody
from identity.web.pages import previews

SHOWN = 50
CHANGES = {
    EventKind.CLUSTERS_MERGED: "Customers that became one",
    EventKind.PRIMARY_CHANGED: "Customers with an older primary",
}
"""What an import did to customers that were known, and how the page calls it."""


def page(listed: register.Listed) -> str:
    """Return the page of an import that was begun, or of a file that nobody keeps any more."""

    def told(kind: EventKind) -> list[Entry]:
        return database.read(
            lambda connection: events.latest(connection, SHOWN, kind=kind, source=listed.source)
        )

    changes = [(kind, heading, told(kind)) for kind, heading in CHANGES.items()]
    withdrawn = ImportWithdrawn(listed.id)
    broken_off = not (listed.finished_at or listed.may_be_running)
    return render_template(
        "import_result.html",
        listed=listed,
        written=written.by_lines(listed.id) if broken_off and listed.started_at else None,
        by_command=listed.given_by == COMMAND_LINE,
        changes=changes,
        grown=[(each, _nobody(each)) for each in growth.kept(listed)],
        rejected=register.rejects(listed.id) is not None,
        shown=SHOWN,
        ruled=database.read(lambda connection: rulings.by(connection, listed.source)),
        undone=database.read(lambda connection: rulings.same(connection, withdrawn)),
        undo=previews.address(withdrawn),
    )


def _nobody(grown: growth.Grown) -> str | None:
    """Return where one sees what it would change if the value that joined most linked nobody."""
    return previews.address(LinksNobody(grown.shared[0])) if grown.shared else None
