"""What an erasure would do: what is on record about the person, and what becomes of customers."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from identity.erasing.files import Waiting
from identity.identifiers import Kind, Value
from identity.rulings.plans import Plan as Changes

SHOWN = 100
"""Identifiers in a plan, of each kind; all are counted."""


class Called(NamedTuple):
    """What people call something that is counted."""

    heading: str
    one: str
    many: str


COUNTED = {
    "identifiers": Called("Identifiers", "identifier", "identifiers"),
    "contacts": Called("Contacts", "contact", "contacts"),
    "claims": Called("Claims", "claim", "claims"),
    "references": Called("References and names", "reference", "references"),
    "history": Called("Lines of the history", "line of the history", "lines of the history"),
    "rulings": Called("Rulings that name them", "ruling", "rulings"),
    "findings": Called("Findings that name them", "finding", "findings"),
    "files": Called("Files", "file", "files"),
    "rejects": Called("Rejected rows", "rejected row", "rejected rows"),
}
"""What is counted, and how that is called."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go, or has gone."""

    values: Collection[Value]
    counts: dict[str, int]
    """How much of each goes."""
    sources: list[str]
    """Who told of the person."""
    waiting: list[Waiting]
    """Files that are thrown away whole."""
    changes: Changes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What changes when other identifiers go, other customers change, or other files go.

        How often somebody said the same is left out: it changes by the hour, and not what goes.
        """
        told = [
            sorted(self.values),
            [each.id for each in self.waiting],
            self.changes.fingerprint,
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def of_kind(self, kind: Kind) -> list[str]:
        """Return the identifiers of a kind."""
        return sorted(value.text for value in self.values if value.kind is kind)

    def as_json(self) -> dict[str, Any]:
        """Return the plan as the interface has it."""
        return self.changes.as_json() | {
            "fingerprint": self.fingerprint,
            "emails": self.of_kind(Kind.EMAIL)[:SHOWN],
            "phoneNumbers": self.of_kind(Kind.PHONE)[:SHOWN],
            "counts": self.counts,
            "sources": self.sources[:SHOWN],
            "files": [{"import": each.id, "name": each.file_name} for each in self.waiting],
        }
