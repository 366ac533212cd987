"""What holds a customer together: the links and the values without which it falls apart.

A link without which two parts would be apart is a bridge; a value without which there would be
several parts is shared. Both are found in one walk along the graph, whatever its size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from networkx.utils import UnionFind

from identity.portraying.graphs import Edge, Graph, Point


@dataclass(frozen=True, slots=True)
class Holding:
    """The bridges and the shared values of a customer, and how large the parts would be."""

    bridges: dict[Edge, tuple[int, int]] = field(default_factory=dict)
    """How many identifiers would be left on each side: the smaller, the larger."""
    shared: dict[Point, int] = field(default_factory=dict)
    """How many parts there would be without a value."""

    @property
    def weakest(self) -> Edge | None:
        """The bridge between the two largest parts; of several, that which was told least.

        None where no link holds more than a single identifier.
        """
        holding = [edge for edge, (smaller, _) in self.bridges.items() if smaller > 1]
        return min(
            holding,
            key=lambda edge: (-self.bridges[edge][0], edge.times, -edge.first_seen_at.timestamp()),
            default=None,
        )


@dataclass(slots=True)
class _Visit:
    """A point on the way, and what is known of what lies behind it."""

    point: Point
    by: Edge | None
    """The edge by which it was reached; None for the first."""
    edges: Iterator[Edge]
    low: int
    """The earliest point that is reached from behind it without that edge."""
    size: int = 1
    """How many points lie behind it, with itself."""
    parts: int = 0
    """How many parts behind it reach nothing before it."""


def holding(graph: Graph) -> Holding:
    """Return what holds a graph together."""
    found, touching = Holding(), graph.touching()
    place: dict[Point, int] = {}
    for start in graph.points:
        if start not in place:
            _walk(start, touching, place, found)
    return found


def _walk(
    start: Point, touching: dict[Point, list[Edge]], place: dict[Point, int], found: Holding
) -> None:
    bridges: dict[Edge, int] = {}
    # A list and not a recursion: a chain may be longer than Python's stack.
    way = [_visit(start, None, touching, place)]
    while way:
        here = way[-1]
        edge = next(here.edges, None)
        if edge is not None:
            point = edge.other(here.point)
            if point not in place:
                way.append(_visit(point, edge, touching, place))
            elif edge is not here.by:
                here.low = min(here.low, place[point])
            continue
        way.pop()
        # For the first, what lies behind it is all there is; for others there is the rest.
        parts = here.parts + (1 if here.by else 0)
        if parts > 1:
            found.shared[here.point] = parts
        if way:
            _return(here, way[-1], place, bridges)
    whole = here.size
    found.bridges.update(
        (edge, (min(size, whole - size), max(size, whole - size))) for edge, size in bridges.items()
    )


def _visit(
    point: Point, by: Edge | None, touching: dict[Point, list[Edge]], place: dict[Point, int]
) -> _Visit:
    place[point] = len(place)
    return _Visit(point, by, iter(touching[point]), place[point])


def _return(
    behind: _Visit, here: _Visit, place: dict[Point, int], bridges: dict[Edge, int]
) -> None:
    here.size += behind.size
    here.low = min(here.low, behind.low)
    if behind.low >= place[here.point]:
        here.parts += 1
    if behind.low > place[here.point]:
        assert behind.by
        bridges[behind.by] = behind.size


def without(graph: Graph, *, edge: Edge | None = None, point: Point | None = None) -> list[Graph]:
    """Return the parts that would be left without a link, or without a value, the largest first."""
    edges = [each for each in graph.edges if each != edge and point not in (each.email, each.phone)]
    parts = UnionFind(each for each in graph.points if each != point)
    for each in edges:
        parts.union(each.email, each.phone)
    points: dict[Point, list[Point]] = {}
    links: dict[Point, list[Edge]] = {}
    for one in graph.points:
        if one != point:
            points.setdefault(parts[one], []).append(one)
    for each in edges:
        links.setdefault(parts[each.email], []).append(each)
    left = [Graph(tuple(of), tuple(links.get(root, ()))) for root, of in points.items()]
    return sorted(left, key=lambda part: -len(part.points))
