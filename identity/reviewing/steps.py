"""One step of a sweep: some of what was told, in its order, and what is wrong with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from identity.identifiers import Identifiers, Value
from identity.identifiers import Kind as Of
from identity.models import Claim, Event, EventKind, Ruling
from identity.reviewing import checking, country_codes, held, joints, merges, values
from identity.reviewing.customers import owners, values_of
from identity.reviewing.findings import Found, Noted
from identity.rulings import kinds
from identity.rulings.kinds import Apart, LinksNobody

CLAIMS = 5_000
"""Claims that are looked at in one step."""
LINES = 2_000
"""Lines of the ledger, likewise."""
AGAIN = 500
"""Findings that are looked at again in one step."""

RULINGS = EventKind.RULED, EventKind.RULING_WITHDRAWN
CHANGES = (
    EventKind.CUSTOMER_CHANGED,
    EventKind.CUSTOMER_MENDED,
    EventKind.CUSTOMER_ERASED,
)
LOOKED_AT = EventKind.CLUSTERS_MERGED, *RULINGS, *CHANGES

_claim = Claim.table().c
_event = Event.table().c


@dataclass(slots=True)
class Ahead:
    """What a step looks at."""

    up_to: int
    """The place of the last of it."""
    values: set[Value] = field(default_factory=set)
    """What was told."""
    rulings: set[int] = field(default_factory=set)
    """Those that hold something of it."""
    merges: list[int] = field(default_factory=list)
    """Lines of the ledger that tell of one."""
    changed: set[int] = field(default_factory=set)
    """The primaries of the customers that a ruling changed."""
    ruled: bool = False
    """Whether there was a ruling, after which anything found may be right."""


def ahead(connection: Connection, after: int | None, last: int) -> Ahead:
    """Return what comes next after a place, up to `last`."""
    found = Ahead(last)
    claims = (
        select(_claim.id, _claim.email, _claim.phone_number, _claim.held_by, _claim.stands)
        .where(_claim.id <= last)
        .order_by(_claim.id)
        .limit(CLAIMS)
    )
    lines = (
        select(_event.id, _event.kind, _event.primary_id, _event.detail)
        .where(_event.kind.in_(tuple(kind.value for kind in LOOKED_AT)))
        .order_by(_event.id)
        .limit(LINES)
    )
    if after is not None:
        claims, lines = claims.where(_claim.id > after), lines.where(_event.id > after)
    told = connection.execute(claims).all()
    if len(told) == CLAIMS:
        found.up_to = told[-1].id
    happened = connection.execute(lines.where(_event.id <= found.up_to)).all()
    if len(happened) == LINES:
        found.up_to = happened[-1].id
    for claim in told:
        if claim.id <= found.up_to and claim.stands:
            found.values.update(Identifiers(claim.email, claim.phone_number).values())
            if claim.held_by is not None:
                found.rulings.add(claim.held_by)
    rulings = {line.detail["ruling"] for line in happened if line.kind in RULINGS and line.detail}
    found.merges = [line.id for line in happened if line.kind == EventKind.CLUSTERS_MERGED]
    for line in happened:
        if line.kind in CHANGES:
            found.changed.add(line.primary_id)
            found.changed.update((line.detail or {}).get("before", ()))
    if rulings:
        found.ruled = True
        found.rulings |= rulings
        found.values.update(_ruled_about(connection, rulings))
    return found


def _ruled_about(connection: Connection, rulings: Iterable[int]) -> Iterator[Value]:
    """Yield the values that some rulings name."""
    chosen = select(Ruling.what).where(Ruling.id.in_(rulings))
    for what in map(kinds.from_record, connection.scalars(chosen)):
        match what:
            case Apart(one, other):
                yield from (one, other)
            case LinksNobody(value):
                yield value


def look(connection: Connection, found: Ahead, many: int) -> list[Found]:
    """Return what is wrong with what lies ahead, and what is right by now."""
    told = found.values | set(values_of(connection, found.changed, joints.MOST))
    primaries = owners(connection, told) | found.changed
    phones = [value.text for value in told if value.kind is Of.PHONE]
    return [
        *values.look(connection, told, many),
        *joints.look(connection, primaries),
        *country_codes.look(connection, phones),
        *merges.look(connection, found.merges),
        *held.look(connection, found.rulings),
    ]


def look_again(connection: Connection, kept: Iterable[Noted], many: int) -> list[Found]:
    """Return what some findings are about as it is now."""
    return list(checking.check(connection, kept, many))
