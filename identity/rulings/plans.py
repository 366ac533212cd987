"""What a change would do to customers: exactly, and with a fingerprint to tell it by."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from identity.clusters import Cluster
from identity.comparing import IdOf, Regrouped
from identity.deciding import NEW

SHOWN = 100
"""Changes in a plan, and customers on each side of a change; all are counted."""

NOTHING = {"fingerprint": "", "digest": 0}


def id_or_none(number: int) -> int | None:
    """Return the id of a contact, None for one that is yet to be made."""
    return number if number < NEW else None


def published(cluster: Cluster, id_of: IdOf = id_or_none) -> dict[str, Any]:
    """Return the customer as the contract has it."""
    primary_id = id_of(cluster.primary_id)
    return {
        # Misspelt in the published contract, and clients depend on it. Others expect it right.
        "primaryContatctId": primary_id,
        "primaryContactId": primary_id,
        "emails": cluster.emails,
        "phoneNumbers": cluster.phone_numbers,
        "secondaryContactIds": [id_of(id_) for id_ in cluster.secondary_ids],
    }


@dataclass(slots=True)
class Plan:
    """What a change would do, gathered part by part."""

    named: Mapping[str, Any]
    """What is changed: the ruling, or the ruling that is withdrawn."""
    customers: list[int] = field(default_factory=lambda: [0, 0])
    """How many before, and how many after; so with the contacts."""
    contacts: list[int] = field(default_factory=lambda: [0, 0])
    shown: list[dict[str, Any]] = field(default_factory=list)
    changes: int = 0
    digest: int = 0

    def add(self, found: Sequence[Regrouped], id_of: IdOf = id_or_none) -> None:
        """Count changes. `id_of` knows the ids of contacts that have been made meanwhile."""
        for change in found:
            for place, side in enumerate((change.before, change.after)):
                self.customers[place] += len(side)
                self.contacts[place] += sum(len(each.members) for each in side)
            self.changes += 1
            # A sum, because parts may be met in another order next time.
            self.digest = (self.digest + _digest(change)) % 2**256
            if len(self.shown) < SHOWN:
                self.shown.append(_shown(change, id_of))

    @property
    def fingerprint(self) -> str:
        """What changes when anything about the plan does."""
        told = [dict(self.named), self.customers, self.contacts, self.changes, self.digest]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @classmethod
    def begun(cls, named: Mapping[str, Any], state: Mapping[str, Any]) -> Self:
        """Return a plan as `state` kept it, or an empty one."""
        return cls(named, **state) if "digest" in state else cls(named)

    def state(self) -> dict[str, Any]:
        """Return what a plan needs to be gone on with."""
        names = ("customers", "contacts", "shown", "changes", "digest")
        return {name: getattr(self, name) for name in names}

    def and_then(self, other: Self) -> Self:
        """Return this plan and what happened next."""
        both: dict[str, Any] = {
            "customers": [sum(each) for each in zip(self.customers, other.customers, strict=True)],
            "contacts": [sum(each) for each in zip(self.contacts, other.contacts, strict=True)],
            "shown": (self.shown + other.shown)[:SHOWN],
            "changes": self.changes + other.changes,
            "digest": (self.digest + other.digest) % 2**256,
        }
        return type(self)(self.named, **both)

    def as_json(self) -> dict[str, Any]:
        """Return the plan as the interface has it."""
        return {
            "fingerprint": self.fingerprint,
            "customers": dict(zip(("before", "after"), self.customers, strict=True)),
            "contacts": dict(zip(("before", "after"), self.contacts, strict=True)),
            "changes": self.shown,
            "more": self.changes - len(self.shown),
        }


def unmarked(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan as it was kept, without what tells it from others.

    That is made of identifiers: it could be tried out on what is left of a plan who else was in it.
    """
    return {name: NOTHING.get(name, told) for name, told in kept.items()}


def _digest(change: Regrouped) -> int:
    told = [[published(each) for each in side] for side in (change.before, change.after)]
    return int.from_bytes(hashlib.sha256(json.dumps(told).encode()).digest())


def _shown(change: Regrouped, id_of: IdOf) -> dict[str, Any]:
    sides = change.before, change.after
    before, after = ([published(each, id_of) for each in side[:SHOWN]] for side in sides)
    more = sum(max(0, len(side) - SHOWN) for side in sides)
    return {"before": before, "after": after, "more": more}
