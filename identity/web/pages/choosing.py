"""What somebody chose in the picture of a customer, and what can be done about it.

In an address an identifier is named by the contact that brought it, and a link by its two ends.
"""

import re
from dataclasses import dataclass
from typing import Self

from flask import request, url_for

from identity.evidence import Telling
from identity.models import LARGEST_ID
from identity.portraying.graphs import Edge, Graph, Point
from identity.portraying.holding import Holding, without
from identity.portraying.portraits import Portrait
from identity.rulings.kinds import Apart, LinksNobody
from identity.web.pages import previews

_NAME = re.compile("[ep][0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address names: an identifier, two of them, or a link."""

    at: str | None = None
    other: str | None = None
    link: str | None = None

    @classmethod
    def read(cls) -> Self:
        """Return what the address at hand names. What makes no sense counts as not said."""
        link = request.args.get("link", "")
        ends = link.split(".")
        if len(ends) == 2 and all(map(_is_name, ends)) and link[0] == "e":
            return cls(link=link)
        at, other = request.args.get("at"), request.args.get("and")
        if not _is_name(at):
            return cls()
        return cls(at, other if _is_name(other) and other != at else None)

    @property
    def names(self) -> list[str]:
        """The identifiers that are named."""
        if self.link:
            return self.link.split(".")
        return [name for name in (self.at, self.other) if name]


def _is_name(given: str | None) -> bool:
    return bool(given and _NAME.fullmatch(given) and int(given[1:]) <= LARGEST_ID)


@dataclass(frozen=True, slots=True)
class Step:
    """A link on the way between two identifiers."""

    edge: Edge
    sides: tuple[int, int] | None
    """How many identifiers would be left on each side without it; None when they stay together."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is told of what was chosen."""

    link: Edge | None = None
    point: Point | None = None
    other: Point | None = None
    tellings: tuple[Telling, ...] = ()
    """Who told the link, or the identifier."""
    links: tuple[Edge, ...] = ()
    """The links at the identifier."""
    way: tuple[Step, ...] = ()
    """The fewest links between the two."""
    left: tuple[Graph, ...] = ()
    """What would be left without it, where that is more than one part."""
    apart: str | None = None
    """Where it is taken apart; so with the next."""
    nobody: str | None = None

    @property
    def things(self) -> tuple[Point | Edge, ...]:
        """What to mark in the picture."""
        return tuple(each for each in (self.link, self.point, self.other) if each is not None)


NOTHING = Chosen()


def chosen(asked: Asked, portrait: Portrait, held: Holding | None) -> Chosen:
    """Return what is told of what an address names."""
    graph = portrait.graph
    if asked.link:
        link = graph.edge(asked.link)
        return _link(link, portrait, held) if link else NOTHING
    point, other = graph.point(asked.at), graph.point(asked.other)
    if point is None:
        return NOTHING
    return _pair(point, other, portrait, held) if other else _point(point, portrait, held)


def _link(link: Edge, portrait: Portrait, held: Holding | None) -> Chosen:
    pair = link.email.value, link.phone.value
    is_bridge = held is not None and link in held.bridges
    return Chosen(
        link=link,
        tellings=tuple(each for each in portrait.tellings if each.content == pair),
        left=tuple(without(portrait.graph, edge=link)) if is_bridge else (),
        apart=_preview(Apart(link.email.identifier, link.phone.identifier), portrait),
    )


def _point(point: Point, portrait: Portrait, held: Holding | None) -> Chosen:
    holds = held is not None and point in held.shared
    return Chosen(
        point=point,
        tellings=tuple(e for e in portrait.tellings if point.identifier in e.values()),
        links=tuple(portrait.graph.touching()[point]),
        left=tuple(without(portrait.graph, point=point)) if holds else (),
        nobody=_preview(LinksNobody(point.identifier), portrait),
    )


def _pair(point: Point, other: Point, portrait: Portrait, held: Holding | None) -> Chosen:
    bridges = held.bridges if held else {}
    return Chosen(
        point=point,
        other=other,
        way=tuple(Step(edge, bridges.get(edge)) for edge in portrait.graph.way(point, other)),
        apart=_preview(Apart(point.identifier, other.identifier), portrait),
    )


def _preview(what: Apart | LinksNobody, portrait: Portrait) -> str:
    # Cancel leads back to what was chosen.
    said = {name: request.args.get(name) for name in ("link", "at", "and")}
    here = url_for("web.cluster", contact_id=portrait.primary.id, **said)  # type: ignore[arg-type]
    return previews.address(what, back=f"{here}#together")
