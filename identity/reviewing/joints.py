"""Customers that one link holds together: read, and looked through for bridges."""

import json
from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import Connection, FromClause, Text, func, select

from identity import rebuilding
from identity.bulk import Question, Selected
from identity.explaining import primaries_of
from identity.identifiers import Identifiers, Value
from identity.models import Claim
from identity.reviewing import findings
from identity.reviewing.bridges import Bridge, Customer, Pair, bridges
from identity.reviewing.customers import sizes
from identity.reviewing.findings import Found, Kind

FEWEST, MOST = 6, 2_000
"""Contacts of a customer that is looked through. With fewer no side has substance; larger ones are
not read, and are found by the values that made them so."""
AT_ONCE = 20_000
"""Contacts that are read before they are looked through, about."""

_claim = Claim.table().c


def _pairs(asked: FromClause) -> Selected:
    return (
        select(
            *(_claim.email, _claim.phone_number),
            func.count().label("told"),
            func.count(_claim.held_by).label("held"),
        )
        .select_from(asked)
        .join(Claim.table(), _claim.email == asked.c.email)
        .where(_claim.phone_number.is_not(None), _claim.stands)
        .group_by(_claim.email, _claim.phone_number)
    )


PAIRS = Question(_pairs, email=Text)


def subject(pair: Pair) -> str:
    """Return how a finding names a pair."""
    return json.dumps(pair)


def named(told: str) -> Pair:
    """Return the pair that a finding names."""
    email, phone_number = json.loads(told)
    return email, phone_number


def look(connection: Connection, primaries: Iterable[int]) -> Iterator[Found]:
    """Yield what holds some customers together, and what did before and does no more."""
    chosen: list[int] = []
    waiting = 0
    for id_, size in sizes(connection, primaries).items():
        if not FEWEST <= size <= MOST:
            continue
        chosen.append(id_)
        waiting += size
        if waiting >= AT_ONCE:
            yield from _look_through(connection, chosen)
            chosen, waiting = [], 0
    yield from _look_through(connection, chosen)


def _look_through(connection: Connection, primaries: Collection[int]) -> Iterator[Found]:
    read, others = _read(connection, primaries)
    standing = {subject(pair) for each in read.values() for pair in each.pairs} | others
    for id_, customer in read.items():
        for bridge in bridges(customer):
            found = _found(bridge, id_)
            standing.discard(found.subject)
            yield found
    yield from findings.ended(connection, Kind.BRIDGE, standing)


def _read(
    connection: Connection, primaries: Collection[int]
) -> tuple[dict[int, Customer], set[str]]:
    """Return customers, and the pairs that were told of them and join them to nobody."""
    asked = [(id_,) for id_ in primaries]
    read = {id_: Customer() for id_ in primaries}
    whose: dict[str, int] = {}
    for question in rebuilding.CONTACTS, rebuilding.FOLLOWERS:
        for row in question.ask(connection, asked):
            primary_id = row.linked_id or row.id
            if row.deleted_at is None and primary_id in read:
                read[primary_id].contacts.append((row.email, row.phone_number))
                if row.email is not None:
                    whose[row.email] = primary_id
    others: set[str] = set()
    for email, phone_number, told, held in PAIRS.ask(connection, ((each,) for each in whose)):
        if told > held:
            read[whose[email]].pairs[email, phone_number] = told - held
        else:
            others.add(subject((email, phone_number)))
    for customer in read.values():
        _leave_out_nobody(customer)
    return read, others


def _leave_out_nobody(customer: Customer) -> None:
    # A phone number that links nobody stands in claims, and in no contact.
    phones = {phone_number for _, phone_number in customer.contacts}
    customer.pairs = {pair: told for pair, told in customer.pairs.items() if pair[1] in phones}


def _found(bridge: Bridge, primary_id: int) -> Found:
    detail = {
        "customer": primary_id,
        "email_side": bridge.email_side._asdict(),
        "phone_side": bridge.phone_side._asdict(),
    }
    return Found(Kind.BRIDGE, subject(bridge.pair), bridge.smaller, detail)


def check(connection: Connection, subjects: Collection[str]) -> Iterator[Found]:
    """Yield what some findings are about as it is now, and what else is found on the way."""
    primaries = primaries_of(connection, _values(subjects))
    left = set(subjects)
    for found in look(connection, set(primaries.values())):
        left.discard(found.subject)
        yield found
    yield from (Found(Kind.BRIDGE, each, 0, {}) for each in left)


def glance(connection: Connection, subjects: Collection[str]) -> dict[str, int]:
    """Return which pairs still join, told once, and whose they are: without reading customers."""
    primaries = primaries_of(connection, _values(subjects))
    pairs = {named(each): each for each in subjects}
    still: dict[str, int] = {}
    for email, phone_number, told, held in PAIRS.ask(connection, {(email,) for email, _ in pairs}):
        ends = [primaries.get(value) for value in Identifiers(email, phone_number).values()]
        told_once = told - held == 1 and ends[0] is not None and ends[0] == ends[1]
        if told_once and (email, phone_number) in pairs:
            still[pairs[email, phone_number]] = ends[0] or 0
    return still


def _values(subjects: Iterable[str]) -> set[Value]:
    return {value for each in subjects for value in Identifiers(*named(each)).values()}
