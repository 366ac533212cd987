"""Pairs, told once, without which a customer would be two of substance. Nothing here reads."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import networkx

from identity.identifiers import Identifiers, Kind, Value

CONTACTS = 3
"""Contacts from which a side is of substance. Two may be somebody's old address and number."""
SHOWN = 3
"""Pairs of one customer, the most even first."""

Pair = tuple[str, str]
"""An email and a phone number."""
Content = tuple[str | None, str | None]


class Side(NamedTuple):
    """What would be left on one side of a pair."""

    contacts: int
    emails: int
    phones: int

    def minus(self, other: "Side") -> "Side":
        """Return what is left without a part of it."""
        return Side(*(here - there for here, there in zip(self, other, strict=True)))

    @property
    def has_substance(self) -> bool:
        """Tell whether this would be a customer that is worth a look."""
        return self.contacts >= CONTACTS


class Bridge(NamedTuple):
    """A pair, and what it holds together."""

    pair: Pair
    email_side: Side
    phone_side: Side

    @property
    def smaller(self) -> int:
        """How many contacts the smaller side has."""
        return min(self.email_side.contacts, self.phone_side.contacts)


@dataclass(slots=True)
class Customer:
    """The contacts of a customer, and how often each pair of it was told."""

    contacts: list[Content] = field(default_factory=list)
    pairs: dict[Pair, int] = field(default_factory=dict)


def bridges(customer: Customer) -> list[Bridge]:
    """Return the pairs, told once, that hold two parts of substance together."""
    emails, phones = ({pair[end] for pair in customer.pairs} for end in (0, 1))
    if len(emails) < 2 or len(phones) < 2:
        # All of them lead to one value, and each to nothing more.
        return []
    network = networkx.Graph()
    for content in customer.contacts:
        network.add_nodes_from(Identifiers(*content).values())
    network.add_edges_from(tuple(Identifiers(*pair).values()) for pair in customer.pairs)
    found = [
        bridge
        for part in networkx.connected_components(network)
        for bridge in _bridges(network.subgraph(part), customer)
        if bridge.email_side.has_substance and bridge.phone_side.has_substance
    ]
    return sorted(found, key=lambda bridge: (-bridge.smaller, bridge.pair))[:SHOWN]


def _bridges(network: "networkx.Graph[Value]", customer: Customer) -> Iterator[Bridge]:
    root = next(iter(network))
    came_by = networkx.dfs_predecessors(network, root)
    below = _below(network, came_by, customer.contacts)
    contacts = Counter(customer.contacts)
    for one, other in networkx.bridges(network):
        email, phone = (one, other) if one.kind is Kind.EMAIL else (other, one)
        pair = email.text, phone.text
        if customer.pairs[pair] != 1:
            continue
        # The contact that the pair itself made counts with its email, and would not be there.
        own = Side(contacts[pair], 0, 0)
        # A bridge is a step of every way through it, so one end came by the other.
        if came_by.get(email) == phone:
            here = below[email]
            yield Bridge(pair, here.minus(own), below[root].minus(here))
        else:
            there = below[phone]
            yield Bridge(pair, below[root].minus(there).minus(own), there)


def _below(
    network: Iterable[Value],
    came_by: Mapping[Value, Value],
    contacts: Iterable[Content],
) -> dict[Value, Side]:
    """Return how much hangs on each value, seen from the root."""
    counted = {value: [0, value.kind is Kind.EMAIL, value.kind is Kind.PHONE] for value in network}
    for content in contacts:
        first = next(Identifiers(*content).values())
        if first in counted:
            counted[first][0] += 1
    # Whoever was reached later hangs on whoever was reached before.
    for value in reversed(list(came_by)):
        above = counted[came_by[value]]
        for place, number in enumerate(counted[value]):
            above[place] += number
    return {value: Side(*map(int, numbers)) for value, numbers in counted.items()}
