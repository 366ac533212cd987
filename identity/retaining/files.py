"""The files that are kept no longer: those that nobody imported, and what was rejected of others.

The import of a file stays on record with the file's name and what it brought: claims name it.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, delete, func, null, or_, select, update

from identity import database
from identity.importing import uploads
from identity.models import Import
from identity.retaining.accounts import Removed, Swept
from identity.retaining.pace import Pace
from identity.reviewing.growth import GROWN

PLANS = "reading", "plan", "work"
_import = Import.table().c
_used = func.coalesce(_import.finished_at, _import.seen_at, _import.started_at, _import.given_at)
"""When somebody had to do with it last."""
# Neither a file nor its plan is read for that.
_has = {name: _import[name].is_not(None) for name in ("content", "rejects", *PLANS)}
OLD = select(_import.id, _import.choices, or_(_import.started_at.is_(None), *_has.values()))
ONE = select(
    *(_import.started_at, _import.choices, _import.work.label("doing")),
    *(has.label(name) for name, has in _has.items()),
)


def sweep(keep: timedelta) -> Swept:
    """Remove what is older; return what went. Each file goes by itself."""
    swept, pace = Swept(datetime.now(UTC) - keep), Pace()
    for import_id in database.read(partial(_old, until=swept.until)):
        with pace.step():
            swept.step(partial(_remove, import_id=import_id, until=swept.until))
    return swept


def _old(connection: Connection, until: datetime) -> list[int]:
    """Return the imports of which something is to go."""
    rows = connection.execute(OLD.where(_used < until).order_by(_import.id))
    # Whom an import made large is no part of its file.
    return [id_ for id_, choices, has in rows if has or set(choices or ()) - {GROWN}]


def _remove(connection: Connection, import_id: int, until: datetime) -> Removed:
    own = _import.id == import_id
    row = connection.execute(ONE.where(own, _used < until).with_for_update()).one_or_none()
    work = row and uploads.work_of(row.doing)
    if row is None or (work and work.goes_on):
        return {}
    if row.started_at is None:
        connection.execute(delete(Import.table()).where(own))
        return {"files": 1}
    left = {GROWN: row.choices[GROWN]} if row.choices and GROWN in row.choices else None
    nothing = dict.fromkeys(_has, null())
    connection.execute(update(Import.table()).where(own).values(choices=left, **nothing))
    planned = left != row.choices or any(row._mapping[name] for name in PLANS)
    return {"files": int(row.content), "rejects": int(row.rejects), "plans": int(planned)}
