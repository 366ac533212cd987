"""The feed of changes, and what became of the ids that others kept."""

from flask import Response, current_app, jsonify, request

from identity import clusters, database, explaining, feed
from identity.errors import NotFound
from identity.feed.reading import Page
from identity.web import blueprint, charging, current, paths, query, waiting
from identity.web.api.change_schemas import (
    LONGEST_WAIT,
    MOST,
    Changes,
    ChangesQuery,
    ContactHistory,
    Start,
    StartQuery,
)
from identity.web.marks import May, allow, describe

SENTENCES = {
    "after": "after must be a number that an answer of the feed gave, or 0.",
    "limit": f"limit must be a whole number from 1 to {MOST:,}.",
    "wait": f"wait must be a whole number of seconds, {LONGEST_WAIT} at most.",
}


@blueprint.get("/changes")
@allow(May.READ)
@describe(Changes, errors=(410,), query=ChangesQuery)
def changes() -> Response:
    """Answer with what happened to customers after a number, each change once and in order.

    Ask with `next` of the last answer as `after`. With `wait`, an answer without changes comes
    when there is one, or that many seconds later. 410 means that changes after the number are kept
    no more: begin again with `GET /changes/start`.
    """
    asked = query.read(ChangesQuery, SENTENCES)
    after, most = asked.after or 0, asked.limit or MOST
    wait = 0 if current.config().frozen else asked.wait or 0
    # What is new is numbered for all who wait together, now and then. Somebody who follows closely
    # and had it done at each look would cost the callers a commit for every change or two.
    found = feed.numbered(after, most) if wait else feed.page(after, most)
    if found.changes or not wait:
        return _answer(found)
    if waiting.BY_DOOR in request.environ:
        response = _answer(found)
        if waiting.WAITED not in request.headers:
            response.headers[waiting.WAIT] = f"{after} {wait}"
        return response
    room = waiting.of(current_app._get_current_object())  # type: ignore[attr-defined]
    if room.wait(after, wait, waiting.gone(request.environ)):
        found = feed.numbered(after, most)
    return _answer(found)


def _answer(found: Page) -> Response:
    return jsonify(
        changes=[each.as_json() for each in found.changes],
        next=found.next,
        more=found.latest > found.next,
    )


@blueprint.get("/changes/start")
@allow(May.READ)
@describe(Start, query=StartQuery)
def changes_start() -> Response:
    """Answer with the customer of each contact as it is now, to begin to follow changes from.

    Take all pages, and then every change after the `number` of the first one.
    """
    asked = query.read(StartQuery, SENTENCES | {"after": "after must be the id of a contact."})
    most = asked.limit or MOST
    found, number = feed.standing(asked.after or 0, most)
    return jsonify(
        contacts=[{"contact": id_, "customer": customer} for id_, customer in found],
        next=found[-1][0] if len(found) == most else None,
        number=number,
    )


@blueprint.get(f"{paths.CLUSTER}/history.json")
@allow(May.READ)
@describe(ContactHistory, errors=(404,))
def history_json(contact_id: int) -> Response:
    """Answer with what became of a contact: merged into which customer, taken apart, when and why.

    That of one that ceased is told as well.
    """
    cluster = database.read(lambda connection: clusters.with_contact(connection, contact_id))
    now: list[int] | None = [cluster.primary_id] if cluster else None
    if now is None:
        now = database.read(lambda connection: explaining.now(connection, contact_id))
    if now is None:
        charging.charge_miss()
        raise NotFound(f"There is no contact {contact_id}.")
    with database.lookups() as connection:
        steps, more = feed.became(connection, contact_id, now)
    return jsonify(
        contact=contact_id,
        now=now,
        ceased=cluster is None,
        history=[step.as_json() for step in steps],
        more=more,
    )
