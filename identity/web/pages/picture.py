"""The picture of a customer: emails on the left, phone numbers on the right, links between.

Only where things stand is decided here; `templates/components/graph.svg` draws them.
"""

from dataclasses import dataclass

from identity.identifiers import Kind
from identity.portraying.graphs import Edge, Graph, Point
from identity.portraying.holding import Holding

SHOWN = 60
"""Identifiers in one picture. With more, the lines between them can no longer be followed."""
LABELLED = 5
"""Links in a picture up to which each can carry its date and source without touching others."""
WIDTH = 760
ROW, NARROW_ROW = 52, 28
"""The second from `CROWD` rows on: a tall picture is scrolled past, not read."""
CROWD = 8
LEFT, RIGHT = 262, 506
LETTERS = 31
"""Of a value that fit beside its point; the whole of it is in the title and on the page."""
LABEL_LETTERS = 22
"""Of what stands on a line."""
LETTER = 6
"""The width of one of those."""
Chosen = tuple[Point | Edge, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A point and where it stands, in the picture's units."""

    point: Point
    x: int
    y: int
    of_primary: bool
    links: int
    """How many links end here."""
    parts: int = 1
    """How many parts there would be without it."""

    @property
    def holds(self) -> bool:
        """Whether the customer would fall apart without it."""
        return self.parts > 1

    @property
    def label(self) -> str:
        """As much of the value as there is room for."""
        return _cut(self.point.value, LETTERS)


@dataclass(frozen=True, slots=True)
class Line:
    """A link and where it runs."""

    edge: Edge
    start: Place
    end: Place
    number: int
    """Which of its email's lines it is."""
    sides: tuple[int, int] | None = None
    """How many identifiers would be left on each side without it; None when they stay together."""
    is_weakest: bool = False

    @property
    def label(self) -> str:
        """When it was told first, and by whom, as far as there is room."""
        return _cut(f"{self.edge.first_seen_at:%Y-%m-%d} · {self.edge.source}", LABEL_LETTERS)

    @property
    def label_width(self) -> int:
        """How much room that takes, about."""
        return len(self.label) * LETTER + 8

    @property
    def middle(self) -> tuple[float, float]:
        """Where the label stands: each of an email's lines has it a step further along."""
        along = 0.38 + 0.12 * (self.number % 3)
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
    chosen: Chosen
    """What somebody chose to look at."""
    judged: bool
    """Whether it is known what holds it together."""

    width: int = WIDTH


def picture(graph: Graph, primary_id: int, chosen: Chosen, held: Holding | None) -> Picture:
    """Lay out a customer, or the part around what is chosen when there is too much of it.

    `held` is what holds all of it together, None when that is not known.
    """
    if len(graph.points) > SHOWN:
        graph = graph.around(_middle(graph, chosen), SHOWN)
    columns = _columns(graph)
    rows = max(map(len, columns))
    height = ROW if rows < CROWD else NARROW_ROW
    known, touching = held or Holding(), graph.touching()
    places = {
        point: Place(
            point,
            x,
            # Each column is centred beside the longer one.
            int((number + (rows - len(column)) / 2 + 0.5) * height) + 8,
            point.contact_id == primary_id,
            len(touching[point]),
            known.shared.get(point, 1),
        )
        for column, x in zip(columns, (LEFT, RIGHT), strict=True)
        for number, point in enumerate(column)
    }
    lines = [
        Line(
            *(edge, places[edge.email], places[edge.phone]),
            touching[edge.email].index(edge),
            known.bridges.get(edge),
            edge == known.weakest,
        )
        for edge in graph.edges
    ]
    labelled, tall = len(lines) <= LABELLED, rows * height + 16
    return Picture(list(places.values()), lines, tall, labelled, chosen, held is not None)


def _columns(graph: Graph) -> tuple[list[Point], list[Point]]:
    """Return the emails and the phone numbers, from top to bottom."""
    touching = graph.touching()
    emails = [point for point in graph.points if point.kind is Kind.EMAIL]
    row = {point: number for number, point in enumerate(emails)}
    # A phone number stands beside the middle of its emails, so that few lines cross.
    phones = sorted(
        (point for point in graph.points if point.kind is Kind.PHONE),
        key=lambda point: _mean([row[edge.email] for edge in touching[point]]),
    )
    return emails, phones


def _middle(graph: Graph, chosen: Chosen) -> Point:
    for each in chosen:
        return each if isinstance(each, Point) else each.email
    return graph.points[0]


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
