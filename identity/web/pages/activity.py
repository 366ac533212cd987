"""The activity by source, kind and day; a page of it is one list with a heading for each day."""

from datetime import date
from itertools import groupby

from flask import render_template
from flask.typing import ResponseReturnValue

from identity import activity, database
from identity.activity import Line, Mark, Wanted
from identity.models import LARGEST_ID, EventKind
from identity.web import blueprint, query
from identity.web.marks import May, allow
from identity.web.pages import telling

SHOWN = 50


@blueprint.get("/events")
@allow(May.LOOK)
def events_page() -> ResponseReturnValue:
    """Show what was decided: all of it, or of one kind, source or day."""
    wanted = Wanted(
        kind=query.one_of(EventKind, "kind"), source=query.text("source"), day=query.day("day")
    )
    before = query.whole_number("before")
    after = Mark(LARGEST_ID if before is None else before, query.whole_number("import"))
    with database.snapshot() as connection:
        page = activity.page(connection, wanted, after, SHOWN)
        sources = activity.sources(connection)
    return render_template(
        "events.html",
        days=_by_day(page.lines),
        wanted=wanted,
        after=page.after,
        begun=after == Mark(),
        sources=sources,
        kinds=telling.kinds(),
    )


def _by_day(lines: list[Line]) -> list[tuple[date, list[Line]]]:
    days = groupby(lines, lambda line: activity.moment(line).date())
    return [(day, list(told)) for day, told in days]
