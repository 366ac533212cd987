"""Why contacts belong together, or what keeps them apart. Nothing here writes."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, true, union

from identity import rebuilding
from identity.clusters import Cluster, of_members, with_contact
from identity.errors import NotFound
from identity.evidence import (
    CLAIM_COLUMNS,
    PHONE_IS_TOLD,
    Named,
    Telling,
    holders_of,
    telling,
)
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim, Contact, Erasure, Forgotten, Id, Reference
from identity.rebuilding import Part

_claim = Claim.table().c
_primary_id = bindparam("primary_id", type_=Id)

HELD = (
    select(*CLAIM_COLUMNS)
    .where(_claim.held_by.is_not(None), _claim.stands)
    .where(
        or_(
            _claim.email.in_(of_members(Contact.table().c.email, _primary_id)),
            _claim.phone_number.in_(of_members(Contact.table().c.phone_number, _primary_id)),
        )
    )
    .order_by(_claim.id)
)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A pair that was told, and whose two identifiers a ruling keeps apart."""

    email: str
    phone_number: str
    sources: tuple[str, ...]
    kept_apart_from: int | None
    """The primary of the other customer."""
    ruling_id: int


def held_of(connection: Connection, cluster: Cluster) -> list[HeldBack]:
    """Return what was told of a customer and another one, and joins them not."""
    bound = {"primary_id": cluster.primary_id, "ruling": None}
    return _held(connection, [telling(row) for row in connection.execute(HELD, bound)], cluster)


def _held(connection: Connection, claims: Iterable[Telling], cluster: Cluster) -> list[HeldBack]:
    sources: dict[tuple[Any, ...], list[str]] = {}
    for claim in claims:
        sources.setdefault((*claim.content, claim.held_by), []).append(claim.source)
    others = {value for email, phone, _ in sources for value in Identifiers(email, phone).values()}
    primaries = primaries_of(connection, (v for v in others if not cluster.has(v)))
    return [
        HeldBack(
            email,
            phone,
            tuple(dict.fromkeys(told_by)),
            next(
                (
                    primaries.get(value)
                    for value in Identifiers(email, phone).values()
                    if not cluster.has(value)
                ),
                None,
            ),
            held_by,
        )
        for (email, phone, held_by), told_by in sources.items()
    ]


def held_among(
    connection: Connection, claims: Collection[Telling], primary_id: int
) -> list[HeldBack]:
    """Return what of some held claims is about a customer."""
    sources: dict[tuple[Any, ...], list[str]] = {}
    for claim in claims:
        sources.setdefault((*claim.content, claim.held_by), []).append(claim.source)
    values = {value for claim in claims for value in claim.values()}
    primaries = primaries_of(connection, values) if values else {}
    found = []
    for (email, phone, held_by), told_by in sources.items():
        ends = [primaries.get(value) for value in Identifiers(email, phone).values()]
        if primary_id in ends:
            other = next((end for end in ends if end != primary_id), None)
            found.append(HeldBack(email, phone, tuple(dict.fromkeys(told_by)), other, held_by))
    return found


def named_of(connection: Connection, cluster: Cluster) -> list[Named]:
    """Return what the sources call a customer, in the order in which they said so."""
    rows = connection.execute(NAMED, {"primary_id": cluster.primary_id})
    return list(dict.fromkeys(Named(*row[1:]) for row in rows))


def _named_by(column: Any, told: Any) -> Any:
    row = Reference.table().c
    return (
        select(_claim.id, _claim.source, row.reference, row.name)
        .join_from(Claim.table(), Reference.table(), row.claim_id == _claim.id)
        .where(told.in_(of_members(column, _primary_id)), _claim.stands)
        .where(PHONE_IS_TOLD if told is _claim.phone_number else true())
    )


_told_names = union(
    _named_by(Contact.table().c.email, _claim.email),
    _named_by(Contact.table().c.phone_number, _claim.phone_number),
).subquery()
# Those of one claim have no order of their own.
NAMED = select(_told_names).order_by(_told_names.c.id, _told_names.c.reference, _told_names.c.name)


def primaries_of(connection: Connection, values: Iterable[Value]) -> dict[Value, int]:
    """Return the primary of each value that a customer has."""
    holders = holders_of(connection, values)
    asked = {(id_,) for id_ in holders.values() if id_ is not None}
    primaries = {
        row.id: row.linked_id or row.id
        for row in rebuilding.CONTACTS.ask(connection, asked)
        if row.deleted_at is None
    }
    return {value: primaries[id_] for value, id_ in holders.items() if id_ in primaries}


def now(connection: Connection, contact_id: int) -> list[int] | None:
    """Return whose the identifiers of a contact are now; None when nobody ever was that contact.

    For a contact that ceased: the primaries of the customers with what its claim said, ascending.
    """
    made = or_(_claim.contact_id == contact_id, _claim.other_contact_id == contact_id)
    rows = connection.execute(select(_claim.email, _claim.phone_number).where(made)).all()
    if not rows:
        return _left_of(connection, contact_id)
    values = {value for row in rows for value in Identifiers(*row).values()}
    return sorted(set(primaries_of(connection, values).values()))


def _left_of(connection: Connection, contact_id: int) -> list[int] | None:
    """Return who is left of the customer of a contact that was forgotten; None where none was."""
    chosen = (
        select(Forgotten.customer, Erasure.changes)
        .join(Erasure, Erasure.id == Forgotten.erasure_id)
        .where(Forgotten.contact_id == contact_id)
    )
    row = connection.execute(chosen).one_or_none()
    if row is None:
        return None
    found, left = set[int](), set[int]()
    for change in row.changes:
        if row.customer in change["before"]:
            found.update(change["after"])
    for each in rebuilding.CONTACTS.ask(connection, ((id_,) for id_ in found)):
        if each.deleted_at is None:
            left.add(each.linked_id or each.id)
        elif each.id != contact_id:
            left.update(now(connection, each.id) or ())
    return sorted(left)


@dataclass(frozen=True, slots=True)
class Step:
    """A pair of the chain between two identifiers."""

    email: str
    phone_number: str
    tellings: tuple[Telling, ...]
    left: tuple[Cluster, ...] | None
    """The customers that would be left without all tellings of it, where it is a bridge: where the
    two would be apart then."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why two identifiers are one customer's, or what keeps them apart."""

    one: Value
    other: Value
    customers: tuple[int, ...]
    """The primaries of those who have the two: one or two."""
    chain: tuple[Step, ...]
    held: tuple[HeldBack, ...]


def why(connection: Connection, one: Value, other: Value) -> Why:
    """Explain two identifiers; raise `NotFound` when nobody has one of them."""
    primaries = primaries_of(connection, (one, other))
    for value, name in ((one, "one"), (other, "other")):
        if value not in primaries:
            raise NotFound(f"No customer has the identifier named as {name}.")
    part = rebuilding.read(connection, (one, other))
    customers = tuple(dict.fromkeys(primaries[value] for value in (one, other)))
    if len(customers) > 1:
        return Why(one, other, customers, (), tuple(_held_between(connection, part, customers)))
    cluster = with_contact(connection, customers[0])
    assert cluster
    steps = [_step(part, pair, one, other) for pair in _chain(part, one, other)]
    return Why(one, other, customers, tuple(steps), ())


def _held_between(
    connection: Connection, part: Part, customers: tuple[int, ...]
) -> Iterator[HeldBack]:
    sides = {each.primary_id: each for each in part.customers()}
    here, there = (sides[primary_id] for primary_id in customers)
    claims = [claim for claim in part.claims.values() if claim.held_by is not None]
    between = [
        claim
        for claim in sorted(claims)
        if any(map(here.has, claim.values())) and any(map(there.has, claim.values()))
    ]
    yield from _held(connection, between, here)


def _chain(part: Part, one: Value, other: Value) -> list[tuple[str, str]]:
    """Return the fewest pairs that lead from one identifier to the other."""
    counting = [
        claim
        for claim in sorted(part.claims.values())
        if claim.held_by is None and None not in claim.content and claim.stands
    ]
    # It takes longer to load than most questions take, and only this one needs it.
    import networkx

    network = networkx.Graph()
    network.add_nodes_from((one, other))
    for claim in counting:
        if not part.ruled.nobody.intersection(claim.values()):
            network.add_edge(*claim.values())
    try:
        way = networkx.shortest_path(network, one, other)
    except networkx.NetworkXNoPath:
        return []
    pairs = []
    for here, there in pairwise(way):
        email, phone = (here, there) if here.kind is Kind.EMAIL else (there, here)
        pairs.append((email.text, phone.text))
    return pairs


def _step(part: Part, pair: tuple[str, str], one: Value, other: Value) -> Step:
    tellings = tuple(sorted(claim for claim in part.claims.values() if claim.content == pair))
    others = (claim for claim in part.claims.values() if claim.content != pair)
    without = rebuilding.follow(others, part.ruled).customers()
    ends = [each for each in without if each.has(one) or each.has(other)]
    left = tuple(sorted(ends, key=lambda each: not each.has(one)))
    # Found at most twice: the customer of the one, and that of the other. Neither where nothing
    # else tells of them.
    together = any(each.has(one) and each.has(other) for each in left)
    return Step(*pair, tellings, None if together else left)
