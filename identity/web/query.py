"""What the query of an address may say.

On a page, what makes no sense counts as not said; to a program it is told.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeVar

from flask import request
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from identity.errors import InvalidInput
from identity.models import LARGEST_ID

Choice = TypeVar("Choice", bound=StrEnum)
Shape = TypeVar("Shape", bound=BaseModel)

LONGEST = 200
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2900, 1, 1)


def _in_digits(given: str) -> str:
    """Return a whole number as it was given; raise `ValueError` when it is not in digits alone."""
    # pydantic takes 14.0, +14 and 1_4 for 14, which is nothing that anybody was answered.
    if not re.fullmatch("[0-9]+", given):
        raise ValueError("no whole number in digits")
    return given


IN_DIGITS = BeforeValidator(_in_digits)
"""Of a whole number in a query that is read as a shape. Last: or its bounds are not described."""
Number = Annotated[int, Field(ge=0, le=LARGEST_ID), IN_DIGITS]
"""The number of a change, or an id."""


def one_of(choices: type[Choice], name: str) -> Choice | None:
    """Return the choice that a parameter names."""
    given = request.args.get(name)
    return choices(given) if given in [choice.value for choice in choices] else None


def whole_number(name: str) -> int | None:
    """Return the number that a parameter is."""
    number = request.args.get(name, type=int)
    # A larger number is an error in either database.
    return number if number is not None and abs(number) <= LARGEST_ID else None


def text(name: str) -> str | None:
    """Return what a parameter says, if it says anything that a database takes."""
    said = request.args.get(name, "").strip()
    # PostgreSQL has no NUL, and what is longer is nobody's name.
    return said if 0 < len(said) <= LONGEST and said.isprintable() else None


def day(name: str) -> date | None:
    """Return the day that a parameter names, as YYYY-MM-DD."""
    try:
        named = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    # The first and the last days that there are have none beside them.
    return named if FIRST_DAY <= named <= LAST_DAY else None


def read(shape: type[Shape], sentences: Mapping[str, str] | None = None) -> Shape:
    """Return the query in its shape, of texts and ids; raise `InvalidInput` naming what is none.

    `sentences` say what a parameter must be that is no id.
    """
    try:
        return shape.model_validate(request.args.to_dict())
    except ValidationError as error:
        wrong = [str(problem["loc"][0]) for problem in error.errors(include_input=False)]
        said = {name: f"{name} must be an id, which is a whole number." for name in wrong}
        fields = {name: (sentences or {}).get(name, said[name]) for name in said}
        raise InvalidInput(" ".join(fields.values()), fields) from None


def with_plus(name: str, value: str) -> str:
    """Return a phone number with the plus that nobody escaped, and that arrives as a blank."""
    # As in ?phoneNumber=+17755550154.
    return f"+{value.lstrip()}" if f"&{name}=+".encode() in b"&" + request.query_string else value
