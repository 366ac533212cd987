"""Findings, looked at again: exactly, for the table; and at a glance, for a page."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection

from identity.reviewing import country_codes, held, joints, merges, values
from identity.reviewing.findings import Found, Kind, Noted

OF_VALUES = Kind.FILLER, Kind.SHARED
CHECKS = {
    Kind.BRIDGE: joints.check,
    Kind.LARGE_MERGE: merges.check,
    Kind.HELD_AGAIN: held.check,
    Kind.COUNTRY_CODE: country_codes.check,
}


def check(connection: Connection, kept: Iterable[Noted], many: int) -> Iterator[Found]:
    """Yield what findings are about as it is now; `many` strangers on a value are too many."""
    for kind, of_kind in groupby(sorted(kept, key=lambda each: each.kind), lambda each: each.kind):
        subjects = [each.subject for each in of_kind]
        if kind in OF_VALUES:
            yield from values.check(connection, [(kind, each) for each in subjects], many)
        else:
            yield from CHECKS[kind](connection, subjects)


def glance(
    connection: Connection, kind: Kind, kept: Sequence[Noted], many: int
) -> dict[int, list[int]]:
    """Return which findings of a kind still hold, each with the customers it is about.

    In a bounded number of statements and of rows, however large those customers are.
    """
    subjects = [each.subject for each in kept]
    still: dict[str, list[int]]
    if kind in OF_VALUES:
        still = {told: [id_] for told, id_ in values.glance(connection, subjects, many).items()}
    elif kind is Kind.BRIDGE:
        still = {told: [id_] for told, id_ in joints.glance(connection, subjects).items()}
    else:
        still = {
            each.subject: _customers(each)
            for each in CHECKS[kind](connection, subjects)
            if each.many
        }
    return {each.id: still[each.subject] for each in kept if each.subject in still}


def _customers(found: Found) -> list[int]:
    if found.kind is Kind.COUNTRY_CODE:
        return list(found.detail["customers"])
    customer = found.detail.get("customer")
    return [] if customer is None else [customer]
