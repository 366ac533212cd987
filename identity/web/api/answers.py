"""The answers to identify and to look-ups, as JSON.

Of a large customer the database has made the lists already, and they are put in as they are:
1.7 MB would be built four times on the way through Python's own lists.
"""

import json
from collections.abc import Mapping

from flask import Response, url_for

from identity.crowds import Crowd
from identity.reconciliation import Looked, Outcome
from identity.rulings.plans import published as summary
from identity.web.api import presenters
from identity.web.api.presenters import as_json


def identified(outcome: Outcome, crowd: Crowd | None) -> Response:
    """Answer with the customer, whole; of a large one `crowd` is the whole."""
    if crowd is None:
        return _response(as_json(presenters.answer(outcome)))
    return _response(_joined({"contact": _customer(crowd)} | _kept(outcome)))


def masked(outcome: Outcome, crowd: Crowd | None) -> Response:
    """Answer with what lets a caller join customers without reading them."""
    if crowd is None:
        return _response(as_json(presenters.masked(outcome)))
    emails, phone_numbers = json.loads(crowd.emails), json.loads(crowd.phone_numbers)
    customer = presenters.masked_customer(crowd.primary_id, crowd.contacts, emails, phone_numbers)
    return _response(_joined({"contact": as_json(customer)} | _kept(outcome)))


def looked_up(looked: Looked, crowd: Crowd | None, other_crowd: Crowd | None) -> Response:
    """Answer with the customer found, and the one that identify would merge into it, or null."""
    other = looked.would_merge_with
    merging = as_json(summary(other) if other else None)
    if other_crowd is not None:
        merging = _customer(other_crowd)
    customer = _customer(crowd) if crowd else as_json(summary(looked.cluster))
    return _response(_joined({"contact": customer} | _kept(looked) | {"wouldMergeWith": merging}))


def canonical(response: Response, endpoint: str, primary_id: int) -> Response:
    """Say at which address, of all that lead to a customer, it is at home."""
    home = url_for(endpoint, contact_id=primary_id)
    response.headers["Link"] = f'<{home}>; rel="canonical"'
    return response


def _customer(crowd: Crowd) -> str:
    return _joined(
        {
            "primaryContatctId": str(crowd.primary_id),
            "primaryContactId": str(crowd.primary_id),
            "emails": crowd.emails,
            "phoneNumbers": crowd.phone_numbers,
            "secondaryContactIds": crowd.secondary_ids,
        }
    )


def _kept(answered: Outcome | Looked) -> dict[str, str]:
    return {name: as_json(value) for name, value in presenters.kept(answered).items()}


def _joined(texts: Mapping[str, str]) -> str:
    """Return an object as JSON whose values are JSON already."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts.items()) + "}"


def _response(text: str) -> Response:
    return Response(text, mimetype="application/json")
