"""What an import has written, by the ledger: also while it goes on, and where it was broken off."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from identity import database
from identity.importing import register
from identity.importing.register import COLUMNS, Listed, source
from identity.models import FREQUENT, LARGEST_ID, Event, EventKind, Import

AROUND = 5_000
"""Lines of the ledger among which the first contact of an import is, and the last one."""
SETTLED = "settled"
"""Among the counts: they are all that it wrote, although it was broken off."""


def by_lines(import_id: int) -> dict[str, int]:
    """Return what an import has written so far, by the ledger: also where it was broken off.

    What is noted of it may be some seconds behind; what is told there may be kept no longer.
    """
    counts = register.get(import_id).counts
    if SETTLED in counts:
        return {name: counts[name] for name in ("customers", "contacts", "merged")}
    return database.read(lambda connection: _written(connection, import_id))


def settle_broken_off(before: datetime) -> None:
    """Note what imports that were begun before then, and broken off, wrote by their lines.

    After that the lines may go: nobody goes on with one that was broken off.
    """
    broken_off = (
        select(*COLUMNS)
        .where(Import.started_at < before, Import.finished_at.is_(None))
        .order_by(Import.id)
    )
    rows = database.read(lambda connection: connection.execute(broken_off).all())
    for listed in (Listed(*row) for row in rows):
        if not listed.may_be_running and SETTLED not in listed.counts:
            register.note(listed.id, counts=listed.counts | by_lines(listed.id) | {SETTLED: 1})


def _written(connection: Connection, import_id: int) -> dict[str, int]:
    name = source(import_id)
    counted = select(Event.kind, func.count()).where(Event.source == name).group_by(Event.kind)
    lines = {EventKind(kind): many for kind, many in connection.execute(counted)}
    first, _ = contacts_of(connection, import_id)
    absorbed = select(func.count(Event.contact_id.distinct())).where(
        *(Event.source == name, Event.kind == EventKind.CLUSTERS_MERGED.value),
        # What was there before has smaller ids than all that came with it.
        Event.contact_id < (first or LARGEST_ID),
    )
    merged = connection.scalar(absorbed) or 0
    joined = lines.get(EventKind.CLUSTERS_MERGED, 0) - merged
    customers = lines.get(EventKind.CONTACT_CREATED, 0) - joined
    contacts = sum(lines.get(kind, 0) for kind in FREQUENT)
    return {"customers": customers, "contacts": contacts, "merged": merged}


def contacts_of(connection: Connection, import_id: int) -> tuple[int | None, int | None]:
    """Return the least and the largest id of the contacts that an import brought."""
    # In the order of the ledger's lines ids ascend, but for those of one transaction.
    ends: list[int] = []
    for kind in FREQUENT:
        told = select(Event.contact_id).where(
            Event.source == source(import_id), Event.kind == kind.value
        )
        for order in (Event.id, Event.id.desc()):
            some = told.order_by(order).limit(AROUND).subquery()
            row = connection.execute(select(func.min(some.c[0]), func.max(some.c[0]))).one()
            ends += filter(None, row)
    return min(ends, default=None), max(ends, default=None)
