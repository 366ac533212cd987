"""Rulings, for stewards: planned, applied as planned, listed and taken back."""

from typing import Any

from flask import Response, jsonify, request

from identity.errors import InvalidInput
from identity.rulings import applying, kinds, register
from identity.rulings.applying import Ordered
from identity.web import blueprint, paths, query
from identity.web.api import ordering, presenters
from identity.web.api.ruling_schemas import (
    PlanTold,
    Ruled,
    RulingRequest,
    Rulings,
    RulingsQuery,
    WithdrawalRequest,
)
from identity.web.domain import region
from identity.web.marks import May, allow, describe
from identity.web.security import csrf

WITHDRAWAL = f"{paths.RULING}/withdrawal"


@blueprint.post("/rulings/plan")
@allow(May.STEWARD)
@describe(PlanTold, errors=(404, 409), body=RulingRequest)
def plan_ruling() -> Response:
    """Answer with what a ruling would change. Changes nothing."""
    what = kinds.parse(ordering.read_to_plan(), region())
    return jsonify(applying.plan(what).as_json())


@blueprint.post("/rulings")
@allow(May.STEWARD)
@describe(Ruled, status=201, errors=(404, 409), body=RulingRequest)
def rule() -> tuple[Response, int]:
    """Apply a ruling, as it was planned if the plan is named."""
    named, ordered = ordering.divided(ordering.read())
    registered, done = applying.rule(kinds.parse(named, region()), ordered)
    return jsonify(presenters.ruled(registered, done.as_json())), 201


@blueprint.get("/rulings")
@allow(May.STEWARD)
@describe(Rulings, query=RulingsQuery)
def rulings() -> Response:
    """Answer with a page of rulings, the newest first."""
    found, more = register.latest(query.read(RulingsQuery).before)
    return jsonify(rulings=[presenters.ruling(each) for each in found], more=more)


@blueprint.get(paths.RULING)
@allow(May.STEWARD)
@describe(Ruled, errors=(404,))
def one_ruling(ruling_id: int) -> Response:
    """Answer with a ruling and what it changed."""
    return jsonify(presenters.ruled(*applying.get(ruling_id)))


@blueprint.post(f"{WITHDRAWAL}/plan")
@allow(May.STEWARD)
@describe(PlanTold, errors=(404, 409), body=WithdrawalRequest)
def plan_withdrawal(ruling_id: int) -> Response:
    """Answer with what withdrawing a ruling would change. Changes nothing."""
    _order(_read_if_sent())
    return jsonify(applying.plan_withdrawal(ruling_id).as_json())


@blueprint.post(WITHDRAWAL)
@allow(May.STEWARD)
@describe(Ruled, status=201, errors=(404, 409), body=WithdrawalRequest)
def withdraw(ruling_id: int) -> tuple[Response, int]:
    """Withdraw a ruling: undo what it does, as it was planned if the plan is named."""
    ordered = _order(_read_if_sent())
    registered, done = applying.withdraw(ruling_id, ordered)
    return jsonify(presenters.ruled(registered, done.as_json())), 201


for view in plan_ruling, rule, plan_withdrawal, withdraw:
    # As with identify: a page of another site cannot send JSON here without asking first.
    csrf.exempt(view)


def _read_if_sent() -> dict[str, Any]:
    # A page of another site could send nothing at all; but its browser says where that page is.
    if request.content_type or request.content_length or request.origin:
        return ordering.read()
    return {}


def _order(body: dict[str, Any]) -> Ordered:
    if body.keys() - ordering.BESIDE:
        raise InvalidInput("The body may hold a plan and a reason, and nothing else.")
    _, ordered = ordering.divided(body)
    return ordered
