"""Why contacts belong together: the links of one customer, and the ways along them.

Nothing here writes. What is drawn and how is decided in `web.picture`.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Self

from sqlalchemy import Connection, bindparam, select

from identity.clusters import Cluster, of_members
from identity.models import Contact, Id, Kind, Link


@dataclass(frozen=True, slots=True)
class Node:
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

    email: Node
    phone: Node
    source: str
    first_seen_at: datetime

    def other(self, node: Node) -> Node:
        """Return the end that is not `node`."""
        return self.phone if node == self.email else self.email


@dataclass(frozen=True, slots=True)
class Graph:
    """The identifiers of one customer and the links between them, oldest first."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, cluster: Cluster, links: Iterable[Sequence[Any]]) -> Self:
        """Return the graph of a cluster from its rows of `link`."""
        nodes: dict[tuple[Kind, str], Node] = {}
        for member in cluster.members:
            given = ((Kind.EMAIL, member.email), (Kind.PHONE, member.phone_number))
            for kind, value in given:
                if value is not None:
                    nodes.setdefault((kind, value), Node(kind, value, member.id))
        edges = [
            Edge(nodes[Kind.EMAIL, email], nodes[Kind.PHONE, phone_number], source, seen_at)
            for email, phone_number, source, seen_at in links
            # A contact added since the cluster was read may have brought a link along.
            if (Kind.EMAIL, email) in nodes and (Kind.PHONE, phone_number) in nodes
        ]
        return cls(tuple(nodes.values()), tuple(edges))

    def node(self, name: str | None) -> Node | None:
        """Return the node of that name, if there is one."""
        return next((node for node in self.nodes if node.name == name), None)

    def touching(self) -> dict[Node, list[Edge]]:
        """Return the edges at each node."""
        edges: dict[Node, list[Edge]] = {node: [] for node in self.nodes}
        for edge in self.edges:
            edges[edge.email].append(edge)
            edges[edge.phone].append(edge)
        return edges

    def way(self, start: Node, end: Node) -> list[Edge]:
        """Return the fewest links that lead from one identifier to another; [] when none do."""
        came_by: dict[Node, Edge] = {}
        for edge, node in self._outward(start):
            came_by[node] = edge
            if node == end:
                break
        steps: list[Edge] = []
        while end != start and end in came_by:
            steps.append(came_by[end])
            end = came_by[end].other(end)
        return steps[::-1]

    def around(self, node: Node, limit: int) -> Self:
        """Return the part of at most `limit` identifiers that is nearest to one of them."""
        nearest = islice(self._outward(node), limit - 1)
        kept = {node, *(reached for _, reached in nearest)}
        return type(self)(
            tuple(each for each in self.nodes if each in kept),
            tuple(edge for edge in self.edges if edge.email in kept and edge.phone in kept),
        )

    def _outward(self, start: Node) -> Iterator[tuple[Edge, Node]]:
        """Yield every other node, the nearest first, with the edge by which it is reached."""
        touching = self.touching()
        reached = {start}
        ahead = deque([start])
        while ahead:
            here = ahead.popleft()
            for edge in touching[here]:
                node = edge.other(here)
                if node not in reached:
                    reached.add(node)
                    ahead.append(node)
                    yield edge, node


_link = Link.table().c
_primary_id = bindparam("primary_id", type_=Id)

LINKS = (
    select(_link.email, _link.phone_number, _link.source, _link.first_seen_at)
    .where(_link.email.in_(of_members(Contact.table().c.email, _primary_id)))
    .order_by(_link.first_seen_at, _link.email, _link.phone_number)
)


def graph_of(connection: Connection, cluster: Cluster) -> Graph:
    """Return the evidence for a cluster, in one statement."""
    rows = connection.execute(LINKS, {"primary_id": cluster.primary_id})
    return Graph.of(cluster, rows)
