"""Who belongs together, by the letter of the rules and the simplest means.

Nothing of this is production's: where both are wrong, they are not wrong together.
"""

from collections.abc import Iterable

import networkx
from sqlalchemy import select

from identity.database import db
from identity.models import Contact
from identity.verification import verify

Call = tuple[str | None, str | None]
"""An email, a phone number, or both."""
Dated = tuple[Call, str]
"""What was told, and when it was learnt: sorts by itself; nothing for now, in the order told."""


def given(call: Call) -> set[str]:
    return {value for value in call if value}


class Oracle:
    """The customers that follow from calls, each of which is of the moment when it is made."""

    def __init__(self) -> None:
        self.clusters: list[list[Call]] = []
        """Each cluster's contacts as they were given, the oldest first; oldest cluster first."""
        self.order: list[Call] = []

    def identify(self, call: Call) -> list[Call]:
        touched = [c for c in self.clusters if given(call) & {v for each in c for v in each}]
        known = {v for c in touched for contact in c for v in contact}
        joined = [contact for cluster in touched for contact in cluster]
        if not given(call) <= known:
            joined.append(call)
            self.order.append(call)
        joined.sort(key=self.order.index)
        self.clusters = [c for c in self.clusters if c not in touched] + [joined]
        self.clusters.sort(key=lambda cluster: self.order.index(cluster[0]))
        return joined


def partition(calls: Iterable[Call]) -> list[set[str]]:
    """Return the values of each customer."""
    graph = networkx.Graph()
    for call in calls:
        networkx.add_path(graph, given(call))
    return list(map(set, networkx.connected_components(graph)))


def dated(told: Iterable[Dated]) -> list[list[Call]]:
    """Return each customer's contacts, the primary first and then the oldest first.

    A contact for whatever brought something new. Its date is the oldest on which exactly that
    was told, also by what brought nothing new; of equally old ones the first made is the older.
    """
    known: set[str] = set()
    contacts: dict[Call, tuple[str, int]] = {}
    told = list(told)
    for call, _ in told:
        if not given(call) <= known:
            oldest = min(moment or "now" for same, moment in told if same == call)
            contacts[call] = oldest, len(contacts)
        known |= given(call)
    groups = partition(call for call, _ in told)
    return [
        sorted((call for call in contacts if given(call) <= group), key=contacts.__getitem__)
        for group in groups
    ]


def assert_as_if_one_by_one(calls: list[Call]) -> None:
    """Compare the tables with what any serial order of the calls ends in."""
    report = verify()
    assert report.problems == []
    customers = partition(calls)
    assert report.clusters == len(customers)
    assert report.identifiers == len(set().union(*map(given, calls)))
    assert report.links == len({call for call in calls if all(call)})
    with db.engine.connect() as connection:
        told = connection.execute(select(Contact.email, Contact.phone_number)).all()
        members = connection.execute(
            select(Contact.id, Contact.linked_id, Contact.email, Contact.phone_number)
        ).all()
    assert len(told) == len(set(told)), "no contact twice"
    stored: dict[int, set[str]] = {}
    for id_, linked_id, *values in members:
        stored.setdefault(linked_id or id_, set()).update(filter(None, values))
    assert sorted(map(sorted, stored.values())) == sorted(map(sorted, customers))
