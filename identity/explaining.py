"""Why contacts belong together: the links of one customer, and the ways along them.

Nothing here writes. What is drawn and how is decided in `web.picture`.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from typing import Any, Self

import networkx
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
from identity.models import Claim, Contact, Id, Reference
from identity.rebuilding import Part


@dataclass(frozen=True, slots=True)
class Point:
    """An identifier, named by the contact that first brought it."""

    kind: Kind
    value: str
    contact_id: int

    @property
    def name(self) -> str:
        """A short name that never changes and, unlike the value, may stand in an address."""
        return f"{self.kind.value[0]}{self.contact_id}"


@dataclass(frozen=True, slots=True)
class Edge:
    """An email and a phone number that were given together, and when they first were."""

    email: Point
    phone: Point
    sources: tuple[str, ...]
    """All who told of it, the first first."""
    first_seen_at: datetime

    @property
    def source(self) -> str:
        """Who told of it, in words."""
        return ", ".join(self.sources)

    def other(self, point: Point) -> Point:
        """Return the end that is not `point`."""
        return self.phone if point == self.email else self.email


@dataclass(frozen=True, slots=True)
class Graph:
    """The identifiers of one customer and the links between them, oldest first."""

    points: tuple[Point, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, cluster: Cluster, links: Iterable[Sequence[Any]]) -> Self:
        """Return the graph of a cluster from its rows of `link`."""
        points: dict[tuple[Kind, str], Point] = {}
        for member in cluster.members:
            given = ((Kind.EMAIL, member.email), (Kind.PHONE, member.phone_number))
            for kind, value in given:
                if value is not None:
                    points.setdefault((kind, value), Point(kind, value, member.id))
        edges: dict[tuple[str, str], Edge] = {}
        for email, phone_number, source, seen_at, held_by in links:
            one, other = points.get((Kind.EMAIL, email)), points.get((Kind.PHONE, phone_number))
            # A contact added since the cluster was read may have brought a link along.
            if held_by is None and one and other:
                before = edges.get((email, phone_number))
                sources = (*before.sources, source) if before else (source,)
                first = before.first_seen_at if before else seen_at
                edges[email, phone_number] = Edge(one, other, sources, first)
        return cls(tuple(points.values()), tuple(edges.values()))

    def point(self, name: str | None) -> Point | None:
        """Return the point of that name, if there is one."""
        return next((point for point in self.points if point.name == name), None)

    def touching(self) -> dict[Point, list[Edge]]:
        """Return the edges at each point."""
        edges: dict[Point, list[Edge]] = {point: [] for point in self.points}
        for edge in self.edges:
            edges[edge.email].append(edge)
            edges[edge.phone].append(edge)
        return edges

    def way(self, start: Point, end: Point) -> list[Edge]:
        """Return the fewest links that lead from one identifier to another; [] when none do."""
        came_by: dict[Point, Edge] = {}
        for edge, point in self._outward(start):
            came_by[point] = edge
            if point == end:
                break
        steps: list[Edge] = []
        while end != start and end in came_by:
            steps.append(came_by[end])
            end = came_by[end].other(end)
        return steps[::-1]

    def around(self, point: Point, limit: int) -> Self:
        """Return the part of at most `limit` identifiers that is nearest to one of them."""
        nearest = islice(self._outward(point), limit - 1)
        kept = {point, *(reached for _, reached in nearest)}
        return type(self)(
            tuple(each for each in self.points if each in kept),
            tuple(edge for edge in self.edges if edge.email in kept and edge.phone in kept),
        )

    def _outward(self, start: Point) -> Iterator[tuple[Edge, Point]]:
        """Yield every other point, the nearest first, with the edge by which it is reached."""
        touching = self.touching()
        reached = {start}
        ahead = deque([start])
        while ahead:
            here = ahead.popleft()
            for edge in touching[here]:
                point = edge.other(here)
                if point not in reached:
                    reached.add(point)
                    ahead.append(point)
                    yield edge, point


_claim = Claim.table().c
_primary_id = bindparam("primary_id", type_=Id)

LINKS = (
    select(_claim.email, _claim.phone_number, _claim.source, _claim.dated_at, _claim.held_by)
    .where(_claim.email.in_(of_members(Contact.table().c.email, _primary_id)))
    .where(_claim.phone_number.is_not(None), _claim.stands)
    .order_by(_claim.dated_at, _claim.id)
)


def graph_of(connection: Connection, cluster: Cluster) -> Graph:
    """Return the evidence for a cluster, in one statement."""
    rows = connection.execute(LINKS, {"primary_id": cluster.primary_id})
    return Graph.of(cluster, rows)


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
        return None
    values = {value for row in rows for value in Identifiers(*row).values()}
    return sorted(set(primaries_of(connection, values).values()))


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
