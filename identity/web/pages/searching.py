"""The search, in the header of every page: what was typed is answered on a page of its own.

Emails and phone numbers stay out of addresses, which end up in histories and logs: what is
searched for is sent in a body, and sealed in the address of its results.
"""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import browsing, database, searching
from identity.auditing import Deed
from identity.identifiers import EMAIL_LENGTH
from identity.searching import Match, members
from identity.web import blueprint, query
from identity.web.domain import region
from identity.web.marks import May, allow, recorded, when_too_old
from identity.web.pages import adding, sealed

SEARCH = "search"
NEAR = 5
"""Customers shown who have something of what was typed, where nobody has all of it."""
HITS = 3
"""Things shown that were found of one customer."""


def _seek() -> ResponseReturnValue:
    typed = request.form.get("typed", "").strip()[:EMAIL_LENGTH]
    return redirect(url_for("web.results", typed=sealed.seal(typed, SEARCH)), 303)


@blueprint.post("/search")
@allow(May.LOOK)
# It changes nothing, so whoever left a page open for a day may as well have an answer.
@when_too_old(_seek)
def search() -> ResponseReturnValue:
    """Lead to the results for what was typed."""
    return _seek()


@blueprint.get("/search/<typed>")
@allow(May.LOOK)
@recorded(Deed.SEARCHED)
def results(typed: str) -> ResponseReturnValue:
    """Show whom was searched for."""
    asked = searching.read(sealed.unseal(typed, SEARCH), region())
    found = searching.search(asked)
    number = min(max(query.whole_number("page") or 1, 1), max(found.pages, 1))
    given = asked.given()
    is_answered = found.matches or found.nobody or asked.too_short
    near = [] if is_answered else searching.near(asked)
    is_known = any(match.rank == 0 for match in found.matches)
    return render_template(
        "search.html",
        asked=asked,
        typed=asked.typed,
        sealed=typed,
        found=found,
        page=number,
        first=(number - 1) * searching.PAGE + 1,
        rows=_rows(found.page(number)),
        near=[(alone, _rows(matches[:NEAR])) for alone, matches in near],
        adding=adding.address(given) if given and not (is_known or found.nobody) else None,
        shown=HITS,
    )


def _rows(matches: list[Match]) -> list[dict[str, object]]:
    ids = [match.primary_id for match in matches]
    with database.lookups() as connection:
        customers = {each.primary_id: each for each in browsing.summaries(connection, ids)}
        small = [id_ for id_, each in customers.items() if each.contacts <= members.LARGE]
        names = members.names(connection, small)
    return [
        {
            "customer": customers[match.primary_id],
            "names": names.get(match.primary_id, []),
            "hits": match.hits,
            # The contact that has what was found is marked there.
            "contact_id": match.hits[0].contact_id or match.primary_id,
        }
        for match in matches
        if match.primary_id in customers
    ]
