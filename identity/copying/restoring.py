"""The way in: a copy into an empty database, and every customer rebuilt from it.

All in one transaction: what is broken off half-way leaves the database as empty as it was.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, groupby, islice
from typing import Any

import psycopg
from sqlalchemy import Connection, func, select, text, union_all
from sqlalchemy.exc import IntegrityError

from identity import auditing, database, evidence, forgetting, rebuilding, writing
from identity.auditing import COMMAND_LINE, Deed
from identity.copying import loading
from identity.copying.leaving_out import LeavingOut
from identity.copying.reading import Copy
from identity.errors import Conflict, InvalidInput
from identity.evidence import Telling
from identity.models import Claim, Contact, Import, Ruling

CHUNK = 5_000
"""Claims that are written at a time."""
AT_ONCE = 2_000
"""Claims whose customers are rebuilt at once."""
CONTRADICTION = "The copy contradicts itself, and no database can hold it. Nothing was written."

Watch = Callable[[int], None]
"""Told how many more lines are done with."""

_claim = Claim.table().c
_remembered = union_all(
    *(
        select(_claim.id, column.label("contact_id")).where(column.is_not(None))
        for column in (_claim.contact_id, _claim.other_contact_id)
    )
).subquery()
TWICE = (
    select(func.max(_remembered.c.id))
    .group_by(_remembered.c.contact_id)
    .having(func.count() > 1)
    .limit(1)
)
"""A claim that made a contact that another claim made too."""


def check_empty() -> None:
    """Raise `Conflict` when the database may not take a copy in: it has customers already."""
    database.read(_check_empty)


def restore(copy: Copy, watch: Watch) -> int:
    """Take a copy into an empty database, and rebuild every customer.

    Return how many claims were left out, of people who are erased as far as this database knows.
    Raise `Conflict` when it is not empty, `InvalidInput` when the copy cannot be used and
    `Unavailable` when the database went away; then nothing was written.
    """

    def write() -> int:
        with database.transaction() as connection:
            _keep_others_out(connection)
            _check_empty(connection)
            left_out = _load(connection, copy, watch)
            loading.count_on(connection, copy.header.last)
            _rebuild(connection, watch)
            auditing.record(connection, Deed.IMPORTED, COMMAND_LINE, "evidence")
        return left_out

    try:
        return database.retrying(write)
    except (IntegrityError, psycopg.IntegrityError, sqlite3.IntegrityError) as error:
        raise InvalidInput(CONTRADICTION) from error


def _check_empty(connection: Connection) -> None:
    models = {"contacts": Contact, "claims": Claim, "rulings": Ruling, "imports": Import}
    counts = (select(func.count()).select_from(each).scalar_subquery() for each in models.values())
    found = zip(models, connection.execute(select(*counts)).one(), strict=True)
    if has := [f"{count:,} {name}" for name, count in found if count]:
        raise Conflict(
            "A copy goes into an empty database only, and this one is not: it has "
            f"{', '.join(has)}. Nothing was written."
        )


def _keep_others_out(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Reading goes on. Whoever tells us something meanwhile would be told another's id.
        connection.execute(
            text("LOCK TABLE contact, ruling, import, claim IN SHARE ROW EXCLUSIVE MODE")
        )


def _load(connection: Connection, copy: Copy, watch: Watch) -> int:
    _, is_erased = forgetting.recognizer(connection)
    leaving_out = LeavingOut(is_erased) if is_erased else None
    read = leaving_out.lines(copy.lines()) if leaving_out else copy.lines()
    for kind, lines in groupby(read, key=lambda line: line.line):
        rows: Iterator[Any] = iter(lines)
        while chunk := list(islice(rows, CHUNK)):
            loading.TAKING[kind](connection, chunk)
            watch(len(chunk))
    if connection.dialect.name == "postgresql":
        # Else the planner knows nothing of what has come, and reads whole tables.
        connection.execute(text("ANALYZE claim"))
    if (twice := connection.scalar(TWICE)) is not None:
        raise InvalidInput(
            f"Line {copy.line_of(twice)}: the claim made a contact that another claim made."
        )
    return leaving_out.claims if leaving_out else 0


def _rebuild(connection: Connection, watch: Watch) -> None:
    """Make every customer that follows from the claims."""
    if connection.dialect.name == "postgresql":
        # The tables grow from nothing under the planner, which takes them for as small as they
        # were when it looked last. Forbidden ways look so dear that it would compile the rest.
        for setting in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"):
            connection.exec_driver_sql(f"SET LOCAL {setting} = off")
    now = datetime.now(UTC)
    chosen = evidence.all_claims().where(_claim.stands).execution_options(yield_per=AT_ONCE)
    with connection.execute(chosen, {"ruling": None}) as rows:
        for chunk in rows.partitions():
            _rebuild_of(connection, map(evidence.telling, chunk), now)
            watch(len(chunk))


def _rebuild_of(connection: Connection, claims: Iterable[Telling], now: datetime) -> None:
    """Make the customers of some claims, where they were not made with those of earlier ones."""
    values = set(chain.from_iterable(each.values() for each in claims))
    left = values - evidence.holders_of(connection, values).keys()
    part = rebuilding.read(connection, left)
    rebuilt = rebuilding.follow(part.claims.values(), part.ruled)
    written = rebuilding.draw(connection, rebuilt)
    writing.correct(connection, rebuilding.difference(part, rebuilt, written), now)
