"""What rulings have to do with a customer: whom it is kept apart from, what links nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from identity import evidence, explaining
from identity.evidence import CLAIM_COLUMNS, Telling, telling
from identity.explaining import HeldBack
from identity.identifiers import Value
from identity.models import Claim
from identity.portraying.portraits import Portrait
from identity.rulings import kinds, listing
from identity.rulings.kinds import LinksNobody
from identity.rulings.register import Registered

READ = 2_000
"""Held claims that are looked through, of all customers, for those of a large one."""


@dataclass(frozen=True, slots=True)
class Concerning:
    """What rulings have to do with a customer."""

    held: list[HeldBack]
    """What was told of it and of another customer, and joins them not."""
    nobody: list[tuple[Value, Registered]]
    """What was told of it and links nobody, each with its ruling."""


def of(connection: Connection, portrait: Portrait) -> Concerning:
    """Return the rulings that a page of a customer tells of."""
    claims: Iterable[Telling] = portrait.tellings
    if not portrait.is_whole:
        claims = _held_anywhere(connection)
    held = [claim for claim in claims if claim.held_by is not None]
    return Concerning(
        explaining.held_among(connection, held, portrait.primary.id),
        _nobody(connection, portrait),
    )


_claim = Claim.table().c
HELD = (
    select(*CLAIM_COLUMNS)
    .where(_claim.held_by.is_not(None), _claim.stands)
    .order_by(_claim.held_by.desc())
    .limit(READ)
)


def _held_anywhere(connection: Connection) -> list[Telling]:
    return [telling(row) for row in connection.execute(HELD, {"ruling": None})]


def _nobody(connection: Connection, portrait: Portrait) -> list[tuple[Value, Registered]]:
    told = {value for claim in portrait.tellings for value in claim.values()}
    others = {value for value in told if not portrait.cluster.has(value)}
    holders = evidence.holders_of(connection, others) if others else {}
    values = sorted(value for value, holder in holders.items() if holder is None)
    spelt = {kinds.spelt(LinksNobody(value)): value for value in values}
    found = listing.about(connection, list(spelt)) if spelt else []
    return [(spelt[kinds.spelt(each.what)], each) for each in found]
