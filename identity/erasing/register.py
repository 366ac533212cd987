"""What is kept of each erasure: who ordered it, when and why, how much went, and ids."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, func, insert, select

from identity import database
from identity.bulk import Load
from identity.errors import NotFound
from identity.models import Erased, Erasure, Forgotten
from identity.rulings.register import Said

SHOWN = 50
"""Erasures on a page."""

_erasure = Erasure.table().c
FORGOTTEN = Load(Forgotten.table(), "contact_id", "erasure_id", "customer")


class Standing(StrEnum):
    """Whether an erasure holds, as it is told."""

    HOLDS = "holds"
    LIFTED = "lifted"
    PARTLY = "lifted in part"
    BEFORE = "erased before"
    """What it names had been erased already: it holds as long as that does."""


@dataclass(frozen=True, slots=True)
class Registered:
    """An erasure, as it is read."""

    id: int
    said: Said
    counts: dict[str, int]
    changes: list[dict[str, list[int]]]
    """The primaries of customers before, and of those that they became."""
    cleared_at: datetime | None
    lifted: Said | None
    """Who let the person come back, or some of what was theirs; None while nobody did."""
    holds: int
    """How many of its identifiers are still not taken in."""
    tries: int
    """How often one of its identifiers was brought again, and not taken in."""
    last_tried_at: datetime | None

    @property
    def standing(self) -> Standing:
        """Whether nothing of it is taken in, or some of it, or all."""
        if self.lifted is not None:
            return Standing.PARTLY if self.holds else Standing.LIFTED
        return Standing.HOLDS if self.holds else Standing.BEFORE

    def as_json(self) -> dict[str, Any]:
        """Return it as the interface has it."""
        return {
            "id": self.id,
            **_said(self.said),
            "counts": self.counts,
            "changes": self.changes,
            "clearedAt": self.cleared_at and self.cleared_at.isoformat(),
            "lifted": self.lifted and _said(self.lifted),
            "holds": self.holds,
            "tries": self.tries,
            "lastTriedAt": self.last_tried_at and self.last_tried_at.isoformat(),
        }


def _said(said: Said) -> dict[str, Any]:
    return {"by": said.by, "at": said.at.isoformat(), "reason": said.reason}


def _of_hashes(told: ColumnElement[Any]) -> Any:
    return select(told).where(Erased.erasure_id == _erasure.id).scalar_subquery()


_columns = (
    *(_erasure.id, _erasure.by, _erasure.at, _erasure.reason, _erasure.counts, _erasure.changes),
    *(_erasure.cleared_at, _erasure.lifted_by, _erasure.lifted_at, _erasure.lifted_reason),
    _of_hashes(func.count()),
    _of_hashes(cast(func.coalesce(func.sum(Erased.tries), 0), BigInteger)),
    _of_hashes(func.max(Erased.last_tried_at)),
)
_newest = select(*_columns).order_by(_erasure.id.desc())


def _registered(row: Any) -> Registered:
    id_, by, at, reason, counts, changes, cleared_at, lifted_by, lifted_at, why, *tried = row
    lifted = lifted_at and Said(lifted_by, lifted_at, why)
    return Registered(id_, Said(by, at, reason), counts, changes, cleared_at, lifted, *tried)


def add(
    connection: Connection,
    said: Said,
    counts: dict[str, int],
    changes: list[dict[str, list[int]]],
) -> int:
    """Keep an erasure; return its id."""
    values = {"by": said.by, "at": said.at, "reason": said.reason}
    row = insert(Erasure.table()).values(**values, counts=counts, changes=changes)
    return int(connection.execute(row.returning(_erasure.id)).scalar_one())


def remember(connection: Connection, erasure_id: int, ceasing: Iterable[tuple[int, int]]) -> None:
    """Keep which contacts ceased, each with the primary that it had."""
    rows = ((contact, erasure_id, customer) for contact, customer in sorted(ceasing))
    FORGOTTEN.insert(connection, rows)


def get(erasure_id: int) -> Registered:
    """Return an erasure; raise `NotFound` when there is none of that id."""
    chosen = _newest.where(_erasure.id == erasure_id)
    row = database.read(lambda connection: connection.execute(chosen).one_or_none())
    if row is None:
        raise NotFound(f"There is no erasure {erasure_id}.")
    return _registered(row)


def latest(before: int | None = None) -> tuple[list[Registered], bool]:
    """Return a page of erasures, the newest first, and whether there are more."""
    chosen = _newest if before is None else _newest.where(_erasure.id < before)
    rows = database.read(lambda connection: connection.execute(chosen.limit(SHOWN + 1)).all())
    return [_registered(row) for row in rows[:SHOWN]], len(rows) > SHOWN
