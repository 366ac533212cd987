"""A change, as it is read from its line of the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from identity.comparing import Became
from identity.events import Entry
from identity.ledger import IMPORTS
from identity.models import EventKind

RULED = EventKind.CUSTOMER_CHANGED, EventKind.CUSTOMER_MENDED, EventKind.CUSTOMER_ERASED
"""Their lines tell what became of several customers at once: one tells all, `with` the others."""
TOLD = (
    *(EventKind.CONTACT_CREATED, EventKind.CONTACT_LINKED),
    *(EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED, *RULED),
)
"""The lines that tell of a change. The others tell what was said, or decided."""


class Causes(StrEnum):
    """What makes customers change."""

    CALL = "call"
    IMPORT = "import"
    RULING = "ruling"
    ERASURE = "erasure"
    MENDING = "mending"


class Moved(NamedTuple):
    """A contact that has another customer now."""

    contact: int
    from_: int | None
    """The customer that it was of; None for a contact that is new, or stands again."""
    to: int | None
    """The customer that it is of; None when it ceased."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of customers at one moment. Ids only."""

    number: int
    """Its place in the feed: its cursor."""
    kind: Became
    at: datetime
    customer: int
    """Whom it is about, by the id of now; of one that ceased, the id it had."""
    before: list[int]
    after: list[int]
    moved: list[Moved]
    cause: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the change as the interface has it."""
        return {
            "number": self.number,
            "kind": f"customer.{self.kind.value}",
            "at": self.at.isoformat(),
            "customer": self.customer,
            "before": self.before,
            "after": self.after,
            "moved": [
                {"contact": contact, "from": from_, "to": to} for contact, from_, to in self.moved
            ],
            "cause": self.cause,
        }


def read(number: int, line: Entry) -> Change:
    """Return the change that a line tells of."""
    assert line.primary_id is not None
    kind, before, after, moved = _whole(line, line.primary_id)
    if line.kind is EventKind.CUSTOMER_ERASED:
        kind = Became.ERASED
    customer = line.primary_id
    cause = _cause(line)
    return Change(number, kind, line.occurred_at, customer, before, after, moved, cause)


Whole = tuple[Became, list[int], list[int], list[Moved]]


def _whole(line: Entry, primary: int) -> Whole:
    detail = line.detail or {}
    match line.kind:
        case EventKind.CONTACT_CREATED | EventKind.CONTACT_LINKED:
            assert line.contact_id is not None
            moved = [Moved(line.contact_id, None, primary)]
            if line.contact_id == primary:
                return Became.CREATED, [], [primary], moved
            return Became.GROWN, [primary], [primary], moved
        case EventKind.CLUSTERS_MERGED | EventKind.PRIMARY_CHANGED:
            absorbed = line.contact_id or primary
            moved = list(_absorbed(detail, absorbed, primary))
            if line.kind is EventKind.PRIMARY_CHANGED:
                return Became.PRIMARY_CHANGED, [absorbed], [primary], moved
            return Became.MERGED, sorted({absorbed, primary}), [primary], moved
    return _compared(detail, primary)


def _absorbed(detail: dict[str, Any], absorbed: int, primary: int) -> Iterator[Moved]:
    """Yield who moved. Whoever was a secondary and stands for all now is in no list but its own."""
    ids: Iterable[int] = {*detail.get("moved", [absorbed])}
    if "risen" in detail:
        ids = {*ids, detail["risen"]}
    for id_ in sorted(ids):
        yield Moved(id_, absorbed, primary)


def _compared(detail: dict[str, Any], primary: int) -> Whole:
    whole: dict[str, Any] | None = detail.get("change")
    if whole is not None:
        moved = [Moved(*each) for each in whole["moved"]]
        return Became(whole["kind"]), whole["before"], whole["after"], moved
    # A line of before there was a feed, which does not tell who moved.
    before: list[int] = detail.get("before", [])
    after: list[int] = detail.get("after", [primary])
    if not before:
        return Became.CREATED, before, after, []
    if primary not in before or not after:
        return Became.TAKEN_APART, before, sorted({*before, *after} if after else after), []
    return Became.MERGED if len(before) > 1 else Became.GROWN, before, after, []


def _cause(line: Entry) -> dict[str, Any]:
    detail = line.detail or {}
    match line.kind:
        case EventKind.CUSTOMER_CHANGED:
            return {"kind": Causes.RULING, "ruling": detail.get("ruling"), "by": line.source}
        case EventKind.CUSTOMER_ERASED:
            return {"kind": Causes.ERASURE, "erasure": detail.get("erasure"), "by": line.source}
        case EventKind.CUSTOMER_MENDED:
            return {"kind": Causes.MENDING}
    number = line.source.removeprefix(IMPORTS)
    if number != line.source and number.isdigit():
        return {"kind": Causes.IMPORT, "import": int(number)}
    return {"kind": Causes.CALL, "source": line.source}
