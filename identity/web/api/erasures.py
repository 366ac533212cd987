"""Erasures, for stewards: planned, applied as planned, and listed. Nothing undoes them."""

from flask import Response, jsonify

from identity.auditing import Deed
from identity.erasing import applying, naming, register
from identity.errors import InvalidInput
from identity.forgetting import lifting
from identity.rulings import orders
from identity.web import blueprint, callers, paths, query
from identity.web.api import ordering
from identity.web.api.erasing_schemas import (
    Erased,
    ErasurePlan,
    ErasureRequest,
    Erasures,
    Lifted,
    LiftRequest,
    OneErasure,
)
from identity.web.api.ruling_schemas import RulingsQuery
from identity.web.domain import region
from identity.web.marks import May, allow, describe, recorded
from identity.web.security import csrf

NAMED = "identifiers are lifted, a list of emails and phoneNumbers: no customer is erased any more."


@blueprint.post("/erasures/plan")
@allow(May.STEWARD)
@describe(ErasurePlan, errors=(404, 409, 410), body=ErasureRequest)
@recorded(Deed.LOOKED_UP)
def plan_erasure() -> Response:
    """Answer with all that is on record about somebody, and would go. Changes nothing."""
    wanted = naming.parse(ordering.read_to_plan(), region())
    return jsonify(applying.plan(wanted).as_json())


@blueprint.post("/erasures")
@allow(May.STEWARD)
@describe(Erased, status=201, errors=(404, 409, 410), body=ErasureRequest)
def erase() -> tuple[Response, int]:
    """Forget somebody, as it was planned if the plan is named. It cannot be undone."""
    named, ordered = ordering.divided(ordering.read())
    registered, done = applying.erase(naming.parse(named, region()), ordered)
    return jsonify(erasure=registered.as_json(), plan=done.as_json()), 201


@blueprint.get("/erasures")
@allow(May.STEWARD)
@describe(Erasures, query=RulingsQuery)
def erasures() -> Response:
    """Answer with a page of erasures, the newest first."""
    found, more = register.latest(query.read(RulingsQuery).before)
    return jsonify(erasures=[each.as_json() for each in found], more=more)


@blueprint.get(paths.ERASURE)
@allow(May.STEWARD)
@describe(OneErasure, errors=(404,))
def one_erasure(erasure_id: int) -> Response:
    """Answer with an erasure."""
    return jsonify(erasure=register.get(erasure_id).as_json())


@blueprint.post("/erasures/lift")
@allow(May.STEWARD)
@describe(Lifted, errors=(404,), body=LiftRequest)
def lift() -> Response:
    """Let somebody come back, on their own wish. Nothing returns by itself.

    Only what is named is lifted, unless all that was erased with it is asked for.
    """
    body = ordering.read()
    reason, together = orders.reason(body.pop("reason", None)), body.pop("together", False)
    if not isinstance(together, bool):
        raise InvalidInput("together must be true or false.", {"together": "must be a boolean."})
    values = naming.parse(body, region()).values
    if not values:
        raise InvalidInput(NAMED, {"customer": NAMED})
    lifted = lifting.lift(values, callers.source("api"), reason, together=together)
    return jsonify(lifted=lifted)


for view in plan_erasure, erase, lift:
    # As with identify: a page of another site cannot send JSON here without asking first.
    csrf.exempt(view)
