"""What a sweep removed, as the ledger tells it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from identity import database
from identity.counting import counted
from identity.models import Event, EventKind

SOURCE = "retention"
"""Whose lines of the ledger these are."""
CALLED = {
    "lines": ("line of history", "lines of history"),
    "audit": ("line of the audit trail", "lines of the audit trail"),
    "messages": ("message of a webhook", "messages of webhooks"),
    "files": ("file", "files"),
    "rejects": ("file of rejected rows", "files of rejected rows"),
    "plans": ("plan of an import", "plans of imports"),
}
"""What may go, and what it is called."""

Removed = dict[str, int]
"""How much went of each of those."""
_event = Event.table().c


@dataclass(slots=True)
class Swept:
    """What one sweep removed."""

    until: datetime
    """What is older than this is kept no longer."""
    removed: Counter[str] = field(default_factory=Counter)
    line: int | None = None
    """The line of the ledger that tells of it."""

    def __str__(self) -> str:
        of_when = f"from before {self.until:%Y-%m-%d}"
        if not self.removed:
            return f"Nothing {of_when} was left to remove."
        return f"Removed: {told(self.removed)} {of_when}."

    def step(self, remove: Callable[[Connection], Removed]) -> bool:
        """Remove something and tell of it, together; tell whether anything went."""

        def write() -> tuple[Removed, int | None]:
            with database.transaction() as connection:
                removed = remove(connection)
                return removed, self._tell(connection, removed)

        removed, self.line = database.retrying(write)
        self.removed += Counter(removed)
        return any(removed.values())

    def _tell(self, connection: Connection, removed: Removed) -> int | None:
        """Write into the ledger what goes; return the line that tells of it.

        One line for all steps, true at the end of each: whoever is killed has told of all that he
        removed.
        """
        if not any(removed.values()):
            return self.line
        if self.line is None:
            line = {
                "occurred_at": datetime.now(UTC),
                "kind": EventKind.SWEPT.value,
                "source": SOURCE,
                "detail": {"until": self.until.isoformat(), **removed},
                "in_claims": True,
            }
            told = insert(Event.table()).values(line).returning(_event.id)
            return int(connection.execute(told).scalar_one())
        own = _event.id == self.line
        # As it stands there: a connection that is lost with the commit leaves open whether that
        # was made, and then this is done again.
        detail: dict[str, Any] = connection.scalar(select(_event.detail).where(own)) or {}
        detail |= {name: detail.get(name, 0) + many for name, many in removed.items()}
        connection.execute(update(Event.table()).where(own).values(detail=detail))
        return self.line


def told(removed: Mapping[str, Any]) -> str:
    """Return how much went, in words; nothing for what is counted elsewhere."""
    counts = [
        counted(removed[name], *called) for name, called in CALLED.items() if removed.get(name)
    ]
    *most, last = counts or ["Nothing"]
    return f"{', '.join(most)} and {last}" if most else last
