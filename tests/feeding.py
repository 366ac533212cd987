"""A reader of the feed: a copy of whose each contact is, kept from changes and nothing else."""

from dataclasses import dataclass, field

from identity import database, feed
from identity.feed import Change
from tests.standing import live


def customers() -> dict[int, int]:
    """Return the customer of each contact, as it stands in the tables."""
    return {id_: linked_id or id_ for id_, _, _, linked_id, _ in live()}


def changes(after: int = 0, most: int = 1000) -> list[Change]:
    """Return what is in the feed, when all that happened is published."""
    while feed.publish():
        pass
    with database.reading() as connection:
        return feed.after(connection, after, most)


@dataclass
class Copy:
    """Whose each contact is, as the feed tells it."""

    customers: dict[int, int] = field(default_factory=dict)
    number: int = 0

    def follow(self, most: int = 1000) -> None:
        """Take in what is new."""
        while found := changes(self.number, most):
            for change in found:
                self.take(change)

    def take(self, change: Change) -> None:
        """Take in a change, which says exactly what differs, and comes once and in order."""
        assert change.number == self.number + 1
        self.number = change.number
        for contact, from_, to in change.moved:
            assert self.customers.pop(contact, None) == from_
            if to is not None:
                self.customers[contact] = to
        now = set(self.customers.values())
        assert now >= {*change.after}
        assert not now & {*change.before} - {*change.after}
