"""What is kept of each ruling: what it names, who said so, when, and whether it still stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from identity import database
from identity.errors import LostRace, NotFound
from identity.models import Claim, Ruling
from identity.rulings import kinds
from identity.rulings.kinds import Apart, What

SHOWN = 50
"""Rulings on a page."""


@dataclass(frozen=True, slots=True)
class Said:
    """Who said something, when and why."""

    by: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Registered:
    """A ruling, as it is read."""

    id: int
    what: What
    said: Said
    withdrawn: Said | None
    """Who took it back; None while it stands."""
    done: int | None
    """The last claim that it has reached, while it is being applied or taken back."""
    up_to: int
    """The last claim that it may reach."""


_ruling = Ruling.table().c
COLUMNS = (
    *(_ruling.id, _ruling.what, _ruling.by, _ruling.at, _ruling.reason),
    *(_ruling.withdrawn_by, _ruling.withdrawn_at, _ruling.withdrawn_reason),
    *(_ruling.done, _ruling.up_to),
)
"""What a ruling is read from."""
_newest = select(*COLUMNS).order_by(_ruling.id.desc())


def registered(row: Any) -> Registered:
    """Return a ruling from a row of `COLUMNS`."""
    id_, what, by, at, reason, withdrawn_by, withdrawn_at, withdrawn_reason, done, up_to = row
    withdrawn = withdrawn_at and Said(withdrawn_by, withdrawn_at, withdrawn_reason)
    return Registered(id_, kinds.from_record(what), Said(by, at, reason), withdrawn, done, up_to)


def add(connection: Connection, what: What, said: Said, *, in_parts: bool) -> Registered:
    """Keep a ruling; in parts, it has reached nothing yet. Raise `LostRace` when it is kept."""
    last = connection.scalar(select(func.max(Claim.id))) or 0
    done: int | None = None
    if in_parts:
        # Places may be below zero: what was there before there were claims.
        done = (connection.scalar(select(func.min(Claim.id))) or 0) - 1
    values: dict[str, Any] = {
        "kind": what.kind.value,
        "what": kinds.spelt(what),
        "by": said.by,
        "at": said.at,
        "reason": said.reason,
        "plan": {},
        "up_to": last,
        "done": done,
    }
    # The database is not left to refuse one that is kept already: it would write what it names,
    # which may be somebody's email, into its log. SQLite says the same in the same words.
    one = insert(Ruling.table()).values(values).on_conflict_do_nothing().returning(_ruling.id)
    id_ = connection.scalar(one)
    if id_ is None:
        raise LostRace("somebody else ruled the same first")
    return Registered(id_, what, said, None, done, last)


def note(connection: Connection, ruling_id: int, **values: object) -> None:
    """Note how far a ruling is, or what it changed."""
    connection.execute(update(Ruling).where(_ruling.id == ruling_id).values(values))


def get(connection: Connection, ruling_id: int, *, lock: bool = False) -> Registered:
    """Return a ruling; raise `NotFound` when there is none of that id."""
    chosen = _newest.where(_ruling.id == ruling_id)
    row = connection.execute(chosen.with_for_update() if lock else chosen).one_or_none()
    if row is None:
        raise NotFound(f"There is no ruling {ruling_id}.")
    return registered(row)


def plan_of(connection: Connection, ruling_id: int) -> dict[str, Any]:
    """Return what a ruling changed, or as much of it as is done."""
    return connection.scalar(select(_ruling.plan).where(_ruling.id == ruling_id)) or {}


def same(connection: Connection, what: What) -> Registered | None:
    """Return the ruling that says the same and stands, if there is one."""
    spellings = {kinds.spelt(what)}
    if isinstance(what, Apart):
        spellings.add(kinds.spelt(Apart(what.other, what.one)))
    chosen = _newest.where(_ruling.what.in_(spellings), _ruling.withdrawn_at.is_(None)).limit(1)
    row = connection.execute(chosen).one_or_none()
    return row and registered(row)


def latest(before: int | None = None) -> tuple[list[Registered], bool]:
    """Return a page of rulings, the newest first, and whether there are more."""
    chosen = _newest if before is None else _newest.where(_ruling.id < before)
    rows = database.read(lambda connection: connection.execute(chosen.limit(SHOWN + 1)).all())
    return [registered(row) for row in rows[:SHOWN]], len(rows) > SHOWN


def by(connection: Connection, name: str) -> list[Registered]:
    """Return the rulings of somebody, or of an import, in their order."""
    rows = connection.execute(_newest.where(_ruling.by == name))
    return [registered(row) for row in reversed(rows.all())]


def unfinished(connection: Connection) -> list[Registered]:
    """Return the rulings that are being applied or taken back, or were broken off meanwhile."""
    rows = connection.execute(_newest.where(_ruling.done.is_not(None)))
    return [registered(row) for row in rows]


def withdrawals(connection: Connection, but: int) -> list[int]:
    """Return the rulings but one that withdraw claims and stand."""
    chosen = select(_ruling.id).where(
        _ruling.kind == literal(kinds.RulingKind.WITHDRAWN.value),
        _ruling.withdrawn_at.is_(None),
        _ruling.id != but,
    )
    return list(connection.scalars(chosen))
