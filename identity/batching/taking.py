"""The transaction that takes a batch in: decided upon what is known of it, and written."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from identity import database, evidence, rebuilding, writing
from identity.batching.looking import Look, look, look_now
from identity.deciding import Call, Decided, decide
from identity.errors import Contended, LostRace
from identity.identifiers import Kind, Value
from identity.rebuilding import LOCKED, Drifted
from identity.writing import Teller, Written

TRIES = 3
"""A batch that lost this often is better divided than tried again."""


def take(
    calls: Sequence[Call], source: str, import_id: int | None = None, found: Look | None = None
) -> tuple[Decided, Written]:
    """Write what `calls` bring, in one transaction, and return it with the ids that it was given.

    `import_id` says which import brings them, if one does; `found` is what is known of them, where
    somebody has looked already. Raise `Unavailable` when the database
    cannot be reached, and `Contended` when too many of the customers concerned kept being changed
    by others; then nothing was written.
    """
    first = iter([found])

    def write() -> tuple[Decided, Written]:
        # Whoever lost a race looks again.
        return _take(calls, source, import_id, next(first, None))

    try:
        return database.retrying(write, tries=TRIES)
    except Contended as contended:
        drifted = contended.__cause__
        if isinstance(drifted, Drifted):
            rebuilding.mend(drifted.values)
            return database.retrying(write, tries=TRIES)
        if len(calls) > 1:
            raise
    # A race that a single call keeps losing may be lost to rows that contradict the evidence.
    rebuilding.mend({value for call in calls for value in call.values()})
    return database.retrying(write)


def _take(
    calls: Sequence[Call], source: str, import_id: int | None, found: Look | None
) -> tuple[Decided, Written]:
    alone, news = database.has_one_writer(), calls
    if not alone:
        found = found or look_now(calls, source).sound()
        news = found.news(calls)
        if not news:
            return Decided(), Written(0, ())
    with database.transaction() as connection:
        if alone:
            # Nobody else changes anything meanwhile, so there is nothing to lock.
            found = look(connection, news, source).sound()
            news = found.news(news)
            known = found
        else:
            assert found is not None
            known = _lock(connection, found, news, source)
        teller = Teller(source, datetime.now(UTC), import_id)
        decided = decide(news, known.known, known.ruled, teller.now)
        written = writing.write(connection, decided, teller)
    if decided.empty:
        # Of a row that says one thing again, something is left, whatever became of the other.
        decided.told.update(found.repeats(calls))
    return decided, written


def _lock(connection: Connection, found: Look, calls: Sequence[Call], source: str) -> Look:
    """Lock the customers of `calls` and return what is known of them now."""
    values = {value for call in calls for value in call.values()}
    before = {found.known.holders[v] for v in values if v in found.known.holders}
    locked = {row.id for row in LOCKED.ask(connection, ((id_,) for id_ in before))}
    if found.ruled.nobody:
        evidence.hold_nobody(connection, found.ruled.nobody)
    # What nobody had brought yet is not asked for again: the key of `identifier` answers that.
    on_record = found.known.holders.keys() | found.ruled.nobody
    again = look(connection, [_only(call, on_record) for call in calls], source)
    if not set(again.known.oldest) <= locked:
        raise LostRace("another call merged some of these customers first")
    return again


def _only(call: Call, on_record: Collection[Value]) -> Call:
    """Return the part of a call that is on record."""
    here = {value.kind: value.text for value in call.values() if value in on_record}
    return call._replace(email=here.get(Kind.EMAIL), phone_number=here.get(Kind.PHONE))
