"""What is kept of the last report: of customers, and of orders. And who is counting just now.

Ids, dates and figures, and what customers spent, by their ids; no emails and no phone numbers.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, FromClause, delete, func, select, text, update

from identity import database
from identity.bulk import Question, Selected
from identity.importing.register import RUNS_FOR
from identity.models import Contact, Report


class Kind(StrEnum):
    """What was counted."""

    CUSTOMERS = "customers"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Work:
    """That somebody is counting, or why they could not."""

    by: str
    """A name that nobody else has."""
    seen_at: datetime
    failed: str | None = None

    @property
    def goes_on(self) -> bool:
        """Tell whether it was heard of a moment ago, and not of its end."""
        return self.failed is None and abs(datetime.now(UTC) - self.seen_at) < RUNS_FOR

    @property
    def broke_off(self) -> str | None:
        """Why it ended before its end, in a sentence; None when it goes on."""
        if self.goes_on:
            return None
        return self.failed or "The process that was counting ended before it was done."


class LastCount(NamedTuple):
    """What was counted last."""

    made_at: datetime | None = None
    made_by: str | None = None
    content: dict[str, Any] | None = None
    work: Work | None = None


_columns = Report.kind, Report.made_at, Report.made_by, Report.content, Report.work
BEGIN = text("INSERT INTO report (kind) VALUES (:kind) ON CONFLICT (kind) DO NOTHING")


def get() -> dict[Kind, LastCount]:
    """Return what is kept of each kind."""
    rows = database.read(lambda connection: connection.execute(select(*_columns)).all())
    found = {Kind(row[0]): LastCount(row[1], row[2], row[3], _work(row[4])) for row in rows}
    return {kind: found.get(kind, LastCount()) for kind in Kind}


def begin(kind: Kind) -> str | None:
    """Return a name to count by; None when somebody is counting."""
    by = secrets.token_hex(8)

    def work(now: Work | None) -> dict[str, Any] | None:
        return None if now and now.goes_on else {"work": _as_json(Work(by, datetime.now(UTC)))}

    return by if _change(kind, work) else None


def go_on(kind: Kind, by: str) -> None:
    """Give a sign of life."""
    _if_mine(kind, by, {"work": _as_json(Work(by, datetime.now(UTC)))})


def end(kind: Kind, by: str, who: str, content: Mapping[str, Any]) -> None:
    """Keep what was counted by that name, unless somebody else is counting by now."""
    made = {"made_at": datetime.now(UTC), "made_by": who, "content": dict(content)}
    _if_mine(kind, by, made | {"work": None})


def fail(kind: Kind, by: str, sentence: str) -> None:
    """Keep why it was not counted to the end. What was counted before stays."""
    _if_mine(kind, by, {"work": _as_json(Work(by, datetime.now(UTC), sentence))})


def forget(connection: Connection) -> None:
    """Forget all of it, as part of what is written: somebody in it is to be forgotten."""
    connection.execute(delete(Report))


def _heads(asked: FromClause) -> Selected:
    return (
        select(asked.c.id, func.coalesce(Contact.linked_id, Contact.id))
        .select_from(asked)
        .join(Contact, Contact.id == asked.c.id)
        .where(Contact.deleted_at.is_(None))
    )


HEADS = Question(_heads, id=BigInteger)


def heads(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """Return the customer of now of each that was counted; whoever is gone is left out."""
    return {row[0]: row[1] for row in HEADS.ask(connection, ((id_,) for id_ in ids))}


def _if_mine(kind: Kind, by: str, values: Mapping[str, Any]) -> None:
    _change(kind, lambda now: values if now and now.by == by else None)


def _change(kind: Kind, change: Callable[[Work | None], Mapping[str, Any] | None]) -> bool:
    """Change what is kept to what `change` says, if it says so; tell whether it did."""

    def write() -> bool:
        with database.transaction() as connection:
            connection.execute(BEGIN, {"kind": kind.value})
            mine = Report.kind == kind.value
            now = connection.scalar(select(Report.work).where(mine).with_for_update())
            values = change(_work(now))
            if values is None:
                return False
            connection.execute(update(Report).where(mine).values(values))
            return True

    return database.retrying(write)


def _as_json(work: Work) -> dict[str, Any]:
    return {"by": work.by, "seen_at": work.seen_at.isoformat(), "failed": work.failed}


def _work(kept: Mapping[str, Any] | None) -> Work | None:
    if kept is None:
        return None
    return Work(kept["by"], datetime.fromisoformat(kept["seen_at"]), kept["failed"])
