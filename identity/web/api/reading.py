"""Reading what is sent to identify and look-ups: its shape, and what is wrong with it."""

from collections.abc import Sequence
from typing import TypeVar

from flask import abort
from pydantic import ValidationError

from identity.deciding import Call
from identity.errors import InvalidInput
from identity.identifiers import Identifiers, plain_text
from identity.web import bodies
from identity.web.api.schemas import BATCH, BatchRequest, IdentifyRequest, LookupRequest
from identity.web.domain import region

Shape = TypeVar("Shape", bound=LookupRequest)
Given = IdentifyRequest | ValidationError
"""A call of a batch, in its shape or not."""
EXPECTED = {
    "email": "email must be a string.",
    "phoneNumber": "phoneNumber must be a string or a whole number.",
    "reference": "reference must be a string or a whole number.",
    "name": "name must be a string.",
}


def body(shape: type[Shape]) -> Shape:
    """Return the body in its shape; raise `InvalidInput` naming every field that has none."""
    try:
        return shape.model_validate_json(bodies.read_json())
    except ValidationError as error:
        raise wrong(error, "The body") from None


def call(body: IdentifyRequest, line: int = 0) -> Call:
    """Return what a caller tells; raise `InvalidInput` naming every field that is wrong."""
    given = Identifiers.parse(body.email, body.phoneNumber, region=region())
    reference, name = (_text(body, field) for field in ("reference", "name"))
    return Call(given.email, given.phone_number, None, line, reference, name)


def batch() -> Sequence[Given]:
    """Return the calls of a body that holds many, each by itself in its shape or not."""
    if bodies.is_lines():
        lines = bodies.read_lines()
        if len(lines) > BATCH:
            abort(413)
        return list(map(_line, lines))
    try:
        return BatchRequest.model_validate_json(bodies.read_json()).calls
    except ValidationError as error:
        if [problem["type"] for problem in error.errors()] == ["too_long"]:
            abort(413)
        named = bodies.wrong_fields(error)
        sentence = "calls must be a list of calls."
        raise InvalidInput(
            sentence if named else "The body must be a JSON object with calls.",
            dict.fromkeys(named, sentence),
        ) from None


def _line(line: bytes) -> Given:
    try:
        return IdentifyRequest.model_validate_json(line)
    except ValidationError as error:
        return error


def wrong(error: ValidationError, what: str) -> InvalidInput:
    """Return what is told of a body, or a call in it, that is not in its shape."""
    try:
        # A union reports one error for each of its members: the same field, once.
        places = bodies.wrong_fields(error, what)
    except InvalidInput as problem:
        return problem
    fields = {name: sentence for name, sentence in EXPECTED.items() if name in places}
    if fields:
        return InvalidInput(" ".join(fields.values()), fields)
    return InvalidInput(f"{what} must be a JSON object with email, phoneNumber or both.")


def _text(body: IdentifyRequest, field: str) -> str:
    try:
        return plain_text(getattr(body, field), field)
    except ValueError as problem:
        raise InvalidInput(str(problem), {field: str(problem)}) from None
