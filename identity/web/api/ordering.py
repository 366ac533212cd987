"""Reading what is sent to be ruled or forgotten: what it names, and what is said beside it."""

from collections.abc import Mapping
from typing import Any

from pydantic import RootModel, ValidationError

from identity.errors import InvalidInput
from identity.rulings import orders
from identity.rulings.applying import Ordered
from identity.web import bodies, callers

BESIDE = {"plan", "reason"}
"""What is not about whom, or what, it names."""
MADE_HERE = "plan is for applying what was planned, and is made here."


class _Read(RootModel[dict[str, Any]]):
    """A body that is any JSON object.

    What it may name is for `rulings.kinds` and `erasing.naming` to judge, whose sentences tell
    what was meant; the shapes in `ruling_schemas` are how it is documented.
    """


def read() -> dict[str, Any]:
    """Return the body; raise `InvalidInput` when it is no JSON object."""
    try:
        return _Read.model_validate_json(bodies.read_json()).root
    except ValidationError as error:
        bodies.wrong_fields(error)
        raise InvalidInput("The body must be a JSON object.") from None


def divided(body: Mapping[str, Any]) -> tuple[dict[str, Any], Ordered]:
    """Return what a body names, and who asks for it, why, and whether as planned."""
    named = {name: value for name, value in body.items() if name not in BESIDE}
    reason, planned = orders.reason(body.get("reason")), orders.planned(body.get("plan"))
    return named, Ordered(callers.source("api"), reason, planned)


def read_to_plan() -> dict[str, Any]:
    """Return what the body of a plan names. It may say why, and not yet as what it was planned."""
    body = read()
    if "plan" in body:
        raise InvalidInput(MADE_HERE, {"plan": MADE_HERE})
    named, _ = divided(body)
    return named
