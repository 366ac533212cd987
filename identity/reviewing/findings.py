"""What was found, and what people said of it: the table, and nothing about how it is filled."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    Connection,
    FromClause,
    Select,
    Text,
    bindparam,
    func,
    select,
    text,
    tuple_,
    update,
)

from identity import database
from identity.bulk import Question, Selected
from identity.database import UtcDateTime
from identity.errors import NotFound
from identity.models import OPEN_FINDING, Finding

PAGE = 20
"""Findings on a page. What each of them is about is looked at again when they are shown."""


class Kind(StrEnum):
    """What may look wrong, the most certain first."""

    FILLER = "filler"
    """A value that looks like nobody's, and that strangers share."""
    SHARED = "shared"
    """A value that too many strangers share."""
    BRIDGE = "bridge"
    """A customer that one pair, told once, holds together."""
    LARGE_MERGE = "large_merge"
    """Many contacts that became somebody else's at once."""
    HELD_AGAIN = "held_again"
    """Claims that a ruling holds, told after it was made."""
    COUNTRY_CODE = "country_code"
    """Two phone numbers that are equal but for the country code, of two customers."""


class Found(NamedTuple):
    """Something as it is now."""

    kind: Kind
    subject: str
    many: int
    """How much of it there is; 0 where nothing is wrong."""
    detail: dict[str, Any]

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Found {self.kind} {self.many}>"


@dataclass(frozen=True, slots=True, repr=False)
class Noted:
    """A finding, as it is read."""

    id: int
    kind: Kind
    subject: str
    many: int
    detail: dict[str, Any]
    found_at: datetime
    fine_by: str | None
    fine_at: datetime | None
    fine_many: int | None


_finding = Finding.table().c
_open = text(OPEN_FINDING)
_columns = (
    *(_finding.id, _finding.kind, _finding.subject, _finding.many, _finding.detail),
    *(_finding.found_at, _finding.fine_by, _finding.fine_at, _finding.fine_many),
)
KEEP = text(
    "INSERT INTO finding (kind, subject, many, detail, found_at)"
    " VALUES (:kind, :subject, :many, :detail, :now)"
    " ON CONFLICT (kind, subject) DO UPDATE SET many = excluded.many, detail = excluded.detail,"
    " found_at = CASE WHEN finding.many = 0 THEN excluded.found_at ELSE finding.found_at END"
).bindparams(bindparam("detail", type_=JSON), bindparam("now", type_=UtcDateTime))
END = (
    update(Finding)
    .where(
        _finding.kind == bindparam("of_kind"),
        _finding.subject == bindparam("of_subject"),
        _finding.many > 0,
    )
    .values(many=0)
)


def keep(connection: Connection, found: Iterable[Found]) -> None:
    """Write what was found; of what is right by now, only that it is, where it was wrong before."""
    # Of one thing told twice, what was said last is true.
    last = {(each.kind, each.subject): each for each in found}.values()
    now = datetime.now(UTC)
    wrong = [each._asdict() | {"kind": each.kind.value, "now": now} for each in last if each.many]
    right = [{"of_kind": e.kind.value, "of_subject": e.subject} for e in last if not e.many]
    if wrong:
        connection.execute(KEEP, wrong)
    if right:
        connection.execute(END, right)


def counts(connection: Connection) -> dict[Kind, int]:
    """Return how many findings of each kind there are to look at, in one statement."""
    rows = connection.execute(COUNTS)
    told = {Kind(kind): number for kind, number in rows}
    return {kind: told.get(kind, 0) for kind in Kind}


COUNTS = select(_finding.kind, func.count()).where(_open).group_by(_finding.kind)
COUNT = select(func.count()).select_from(Finding).where(_open)


def count(connection: Connection) -> int:
    """Return how many findings there are to look at."""
    return connection.scalar(COUNT) or 0


def largest(connection: Connection, kind: Kind, after: Noted | None = None) -> list[Noted]:
    """Return findings of a kind, the largest first: one more than are on a page."""
    chosen = select(*_columns).where(_finding.kind == kind.value, _open)
    if after is not None:
        place = tuple_(_finding.many, _finding.id)
        chosen = chosen.where(place < tuple_(after.many, after.id))
    chosen = chosen.order_by(_finding.many.desc(), _finding.id.desc())
    return _read(connection, chosen.limit(PAGE + 1))


def said_fine(connection: Connection, before: Noted | None = None) -> list[Noted]:
    """Return what somebody said is fine, the newest first: one more than are on a page."""
    chosen = select(*_columns).where(_finding.fine_at.is_not(None))
    if before is not None:
        place = tuple_(_finding.fine_at, _finding.id)
        chosen = chosen.where(place < tuple_(before.fine_at, before.id))
    chosen = chosen.order_by(_finding.fine_at.desc(), _finding.id.desc())
    return _read(connection, chosen.limit(PAGE + 1))


def in_order(connection: Connection, after: int, limit: int) -> list[Noted]:
    """Return findings, whether they are open or not, in the order in which they were found."""
    chosen = select(*_columns).where(_finding.id > after).order_by(_finding.id)
    return _read(connection, chosen.limit(limit))


def get(connection: Connection, finding_id: int) -> Noted:
    """Return a finding; raise `NotFound` when there is none of that id."""
    for kept in _read(connection, select(*_columns).where(_finding.id == finding_id)):
        return kept
    raise NotFound(f"There is no finding {finding_id}.")


def _read(connection: Connection, chosen: Select[*tuple[Any, ...]]) -> list[Noted]:
    return [Noted(id_, Kind(kind), *rest) for id_, kind, *rest in connection.execute(chosen)]


def _open_of(asked: FromClause) -> Selected:
    return (
        select(_finding.subject)
        .select_from(asked)
        .join(
            Finding.table(),
            (_finding.kind == bindparam("kind", type_=Text))
            & (_finding.subject == asked.c.subject),
        )
        .where(_finding.many > 0)
    )


STANDING = Question(_open_of, subject=Text)


def ended(connection: Connection, kind: Kind, subjects: Collection[str]) -> list[Found]:
    """Return, as right by now, what of some subjects was wrong before."""
    rows = STANDING.ask(connection, ((each,) for each in subjects), kind=kind.value)
    return [Found(kind, row.subject, 0, {}) for row in rows]


def say_fine(finding_id: int, by: str) -> Noted:
    """Remember that a finding is fine, until it has doubled. Raise `NotFound`."""
    said = {"fine_by": by, "fine_at": datetime.now(UTC), "fine_many": _finding.many}
    return _change(finding_id, said)


def look_again(finding_id: int) -> Noted:
    """Forget that somebody said that a finding is fine. Raise `NotFound`."""
    return _change(finding_id, {"fine_by": None, "fine_at": None, "fine_many": None})


def _change(finding_id: int, values: dict[str, Any]) -> Noted:
    def write() -> Noted:
        with database.transaction() as connection:
            changed = update(Finding).where(_finding.id == finding_id).values(values)
            connection.execute(changed)
            return get(connection, finding_id)

    return database.retrying(write)
