"""Who is to be forgotten, as somebody spelt it as JSON."""

from collections.abc import Mapping
from typing import Any

from identity.erasing.reach import Wanted
from identity.errors import InvalidInput
from identity.identifiers import Identifiers, Value
from identity.models import LARGEST_ID

MOST = 1_000
"""Identifiers that are named at once. A customer may have any number."""
SHAPE = (
    "An erasure names identifiers, a list of emails and phoneNumbers, or a customer by the id of "
    "one of its contacts."
)


def parse(given: Mapping[str, Any], region: str | None = None) -> Wanted:
    """Return who is named; raise `InvalidInput` naming what is wrong with it."""
    match dict(given):
        case {"identifiers": named} if len(given) == 1:
            return Wanted(frozenset(_identifiers(named, region)))
        case {"customer": named} if len(given) == 1:
            if isinstance(named, bool) or not isinstance(named, int) or not 0 < named <= LARGEST_ID:
                raise _wrong("customer", "must be the id of a contact.")
            return Wanted(customer=named)
    fields = [name for name in ("identifiers", "customer") if name in given]
    raise InvalidInput(SHAPE, dict.fromkeys(fields, SHAPE))


def _identifiers(given: object, region: str | None) -> list[Value]:
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise _wrong("identifiers", f"must be a list of 1 to {MOST:,} identifiers.")
    return [_value(each, region) for each in given]


def _value(given: object, region: str | None) -> Value:
    one = isinstance(given, Mapping) and len(given) == 1
    if not isinstance(given, Mapping) or not one or not set(given) <= {"email", "phoneNumber"}:
        raise _wrong("identifiers", 'must each be {"email": …} or {"phoneNumber": …}.')
    try:
        (value,) = Identifiers.parse(
            given.get("email"), given.get("phoneNumber"), region=region
        ).values()
    except InvalidInput as problem:
        raise _wrong("identifiers", str(problem)) from None
    return value


def _wrong(field: str, sentence: str) -> InvalidInput:
    told = f"{field}: {sentence}" if field == "identifiers" else f"{field} {sentence}"
    return InvalidInput(told, {field: told})
