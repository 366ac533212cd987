"""The rulings by the page, and those that somebody looks for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from identity.models import LARGEST_ID, Ruling
from identity.rulings.kinds import RulingKind
from identity.rulings.register import COLUMNS, Registered, registered

SHOWN = 25
"""Rulings on a page."""


class Standing(StrEnum):
    """Whether a ruling still counts."""

    STANDING = "standing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rulings somebody asks for: all, but for what is said here."""

    part: str = ""
    """Part of what they name, of who made or undid them, or of why; or the number of one."""
    normal: str = ""
    """The same as it would stand in an identifier."""
    kind: RulingKind | None = None
    standing: Standing | None = None


_ruling = Ruling.table().c


def listed(
    connection: Connection, asked: Asked, before: int | None = None
) -> tuple[list[Registered], bool]:
    """Return a page of rulings, the newest first, and whether there are more."""
    chosen = select(*COLUMNS).where(*_wanted(asked)).order_by(_ruling.id.desc())
    if before is not None:
        chosen = chosen.where(_ruling.id < before)
    rows = connection.execute(chosen.limit(SHOWN + 1)).all()
    return [registered(row) for row in rows[:SHOWN]], len(rows) > SHOWN


def about(connection: Connection, spellings: list[str]) -> list[Registered]:
    """Return the standing rulings of those spellings."""
    chosen = select(*COLUMNS).where(_ruling.what.in_(spellings), _ruling.withdrawn_at.is_(None))
    return [registered(row) for row in connection.execute(chosen.order_by(_ruling.id))]


def everything(connection: Connection) -> Iterator[Registered]:
    """Yield all rulings, the oldest first."""
    for row in connection.execute(select(*COLUMNS).order_by(_ruling.id)).yield_per(SHOWN):
        yield registered(row)


def _wanted(asked: Asked) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if asked.kind is not None:
        wanted.append(_ruling.kind == asked.kind.value)
    if asked.standing is not None:
        stands = _ruling.withdrawn_at.is_(None)
        wanted.append(stands if asked.standing is Standing.STANDING else ~stands)
    if asked.part:
        wanted.append(or_(*_saying(asked)))
    return wanted


def _saying(asked: Asked) -> list[Any]:
    said = [
        column.icontains(asked.part, autoescape=True)
        for column in (_ruling.by, _ruling.reason, _ruling.withdrawn_by, _ruling.withdrawn_reason)
    ]
    # As it is spelt there: what is beyond ASCII stands escaped.
    spelt = {json.dumps(each)[1:-1] for each in (asked.part, asked.normal) if each}
    said += [_ruling.what.icontains(each, autoescape=True) for each in sorted(spelt)]
    number = asked.part.removeprefix("#")
    if number.isascii() and number.isdecimal() and int(number) <= LARGEST_ID:
        said.append(_ruling.id == int(number))
    return said
