"""The picture of a customer: emails on the left, phone numbers on the right, links between.

Only where things stand is decided here; `templates/components/graph.svg` draws them.
"""

from dataclasses import dataclass

from identity.explaining import Edge, Graph, Point
from identity.identifiers import Kind

SHOWN = 60
"""Identifiers in one picture. With more, the lines between them can no longer be followed."""
LABELLED = 5
"""Links in a picture up to which each can carry its date and source without touching others."""
WIDTH = 880
ROW, NARROW_ROW = 52, 28
"""The second from `CROWD` rows on: a tall picture is scrolled past, not read."""
CROWD = 8
LEFT, RIGHT = 300, 640
LETTERS = 32
"""Of a value that fit beside its point; the whole of it is in the title and on the page."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point and where it stands, in the picture's units."""

    point: Point
    x: int
    y: int
    of_primary: bool
    shared: bool
    """Whether more than one link ends here: what holds the customer together."""

    @property
    def label(self) -> str:
        """As much of the value as there is room for."""
        value = self.point.value
        return value if len(value) <= LETTERS else f"{value[: LETTERS - 1]}…"


@dataclass(frozen=True, slots=True)
class Line:
    """A link and where it runs."""

    edge: Edge
    start: Place
    end: Place
    number: int
    """Which of its email's lines it is."""

    @property
    def middle(self) -> tuple[float, float]:
        """Where the label stands: each of an email's lines has it a step further along."""
        along = 0.26 + 0.24 * (self.number % 3)
        return (
            self.start.x + (self.end.x - self.start.x) * along,
            self.start.y + (self.end.y - self.start.y) * along + 4,
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn."""

    places: list[Place]
    lines: list[Line]
    height: int
    labelled: bool
    left_out: int
    """How many identifiers of the customer are not in the picture."""
    focus: Point | None

    width: int = WIDTH


def picture(graph: Graph, primary_id: int, focus: Point | None) -> Picture:
    """Lay out a customer, or the part around `focus` when there is too much for one picture."""
    whole = len(graph.points)
    if whole > SHOWN:
        focus = focus or graph.points[0]
        graph = graph.around(focus, SHOWN)
    touching = graph.touching()
    emails = [point for point in graph.points if point.kind is Kind.EMAIL]
    row = {point: number for number, point in enumerate(emails)}
    # A phone number stands beside the middle of its emails, so that few lines cross.
    phones = sorted(
        (point for point in graph.points if point.kind is Kind.PHONE),
        key=lambda point: _mean([row[edge.email] for edge in touching[point]]),
    )
    rows = max(len(emails), len(phones))
    height = ROW if rows < CROWD else NARROW_ROW
    places = {
        point: Place(
            point,
            x,
            # Each column is centred beside the longer one.
            int((number + (rows - len(column)) / 2 + 0.5) * height) + 8,
            point.contact_id == primary_id,
            len(touching[point]) > 1,
        )
        for column, x in ((emails, LEFT), (phones, RIGHT))
        for number, point in enumerate(column)
    }
    return Picture(
        places=list(places.values()),
        lines=[
            Line(edge, places[edge.email], places[edge.phone], touching[edge.email].index(edge))
            for edge in graph.edges
        ],
        height=rows * height + 16,
        labelled=len(graph.edges) <= LABELLED,
        left_out=whole - len(graph.points),
        focus=focus,
    )


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
