"""The links of one customer as a graph: identifiers, the pairs given together, the ways along them.

What holds it together is looked for in `holding`; what is drawn of it is decided in `web.picture`.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Self

from sqlalchemy import Connection, bindparam, select

from identity.clusters import Cluster, of_members
from identity.identifiers import Kind, Value
from identity.models import Claim, Contact, Id


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

    @property
    def identifier(self) -> Value:
        """The identifier itself."""
        return Value(self.kind, self.value)

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Point {self.name}>"


@dataclass(frozen=True, slots=True)
class Edge:
    """An email and a phone number that were given together, and when they first were."""

    email: Point
    phone: Point
    sources: tuple[str, ...]
    """All who told of it, the first first."""
    first_seen_at: datetime
    times: int = 1
    """How often they were told."""

    @property
    def name(self) -> str:
        """A name that may stand in an address."""
        return f"{self.email.name}.{self.phone.name}"

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
                times = before.times + 1 if before else 1
                edges[email, phone_number] = Edge(one, other, sources, first, times)
        return cls(tuple(points.values()), tuple(edges.values()))

    def point(self, name: str | None) -> Point | None:
        """Return the point of that name, if there is one."""
        return next((point for point in self.points if point.name == name), None)

    def edge(self, name: str | None) -> Edge | None:
        """Return the edge of that name, if there is one."""
        return next((edge for edge in self.edges if edge.name == name), None)

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
