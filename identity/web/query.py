"""What the query of an address may say. What makes no sense counts as not said."""

from enum import StrEnum
from typing import TypeVar

from flask import request

from identity.models import LARGEST_ID

Choice = TypeVar("Choice", bound=StrEnum)


def one_of(choices: type[Choice], name: str) -> Choice | None:
    """Return the choice that a parameter names."""
    given = request.args.get(name)
    return choices(given) if given in [choice.value for choice in choices] else None


def whole_number(name: str) -> int | None:
    """Return the number that a parameter is."""
    number = request.args.get(name, type=int)
    # A larger number is an error in either database.
    return number if number is not None and abs(number) <= LARGEST_ID else None
