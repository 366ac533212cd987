"""Why contacts belong together: the links of one customer, and the ways along them.

Nothing here writes. What is drawn and how is decided in `web.graph`.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, bindparam, select, union_all

from identity.clusters import Cluster
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
        touching = self.touching()
        came_by: dict[Node, Edge | None] = {start: None}
        ahead = deque([start])
        while ahead and end not in came_by:
            here = ahead.popleft()
            for edge in touching[here]:
                if edge.other(here) not in came_by:
                    came_by[edge.other(here)] = edge
                    ahead.append(edge.other(here))
        steps: list[Edge] = []
        while edge_here := came_by.get(end):
            steps.append(edge_here)
            end = edge_here.other(end)
        return steps[::-1]

    def around(self, node: Node, limit: int) -> Self:
        """Return the part of at most `limit` identifiers that is nearest to one of them."""
        touching = self.touching()
        kept = {node: None}
        ahead = deque([node])
        while ahead and len(kept) < limit:
            here = ahead.popleft()
            for edge in touching[here]:
                if edge.other(here) not in kept and len(kept) < limit:
                    kept[edge.other(here)] = None
                    ahead.append(edge.other(here))
        return type(self)(
            tuple(each for each in self.nodes if each in kept),
            tuple(edge for edge in self.edges if edge.email in kept and edge.phone in kept),
        )


_contact = Contact.table().c
_link = Link.table().c
_primary_id = bindparam("primary_id", type_=Id)

LINKS = (
    select(_link.email, _link.phone_number, _link.source, _link.first_seen_at)
    .where(
        _link.email.in_(
            # Two selects and two indexes, where "OR" would read all contacts.
            union_all(
                select(_contact.email).where(_contact.id == _primary_id),
                select(_contact.email).where(_contact.linked_id == _primary_id),
            )
        )
    )
    .order_by(_link.first_seen_at, _link.email, _link.phone_number)
)


def graph_of(connection: Connection, cluster: Cluster) -> Graph:
    """Return the evidence for a cluster, in one statement."""
    rows = connection.execute(LINKS, {"primary_id": cluster.primary_id})
    return Graph.of(cluster, rows)
