"""The transaction that takes a batch in: decided upon what is known of it, and written."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from identity import database, evidence, forgetting, rebuilding, writing
from identity.batching.looking import Look, look, look_now, moment_of
from identity.batching.recalling import Recall
from identity.batching.sifting import sift
from identity.deciding import Call, Decided, decide
from identity.errors import Contended, LostRace
from identity.forgetting import BroughtAgain
from identity.identifiers import Kind, Value
from identity.rebuilding import LOCKED, Drifted
from identity.writing import Teller, Written

TRIES = 3
"""A batch that lost this often is better divided than tried again."""


def take(
    calls: Sequence[Call],
    source: str,
    import_id: int | None = None,
    found: Look | None = None,
    recall: Recall | None = None,
    known_to: int | None = None,
) -> tuple[Decided, Written]:
    """Write what `calls` bring, in one transaction, and return it with the ids that it was given.

    `import_id` says which import brings them, if one does; `found` is what is known of them, where
    somebody has looked already; `recall` knows what need not be looked for; nothing of them was
    erased up to the erasure `known_to`. Raise `Unavailable` when the database cannot be reached,
    and `Contended` when too many of the customers concerned kept being changed by others; then
    nothing was written.
    """
    try:
        return _write(calls, source, import_id, found, recall, known_to)
    except BroughtAgain as met:
        sifted = sift(calls, met.values)
    decided, written = Decided(), Written(0, ())
    if sifted.calls:
        decided, written = take(sifted.calls, source, import_id, recall=recall)
    decided.sifted = sifted.lines | decided.sifted
    forgetting.tried(sifted.times)
    return decided, written


def _write(
    calls: Sequence[Call],
    source: str,
    import_id: int | None,
    found: Look | None,
    recall: Recall | None,
    known_to: int | None,
) -> tuple[Decided, Written]:
    first = iter([(found, recall.to_ask(calls) if recall else calls)])

    def write() -> tuple[Decided, Written]:
        # Whoever lost a race looks again, and for everything.
        known, asked = next(first, (None, None))
        if asked is None:
            asked = calls
            if recall:
                recall.disappointed()
        if database.has_one_writer():
            # What was found may be otherwise by now, and nothing is locked there.
            known = None
        elif not known:
            known = look_now(asked, source).sound()
        done = _take(calls, source, import_id, known, asked, recall, known_to)
        if recall:
            recall.told(calls)
        return done

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
    calls: Sequence[Call],
    source: str,
    import_id: int | None,
    found: Look | None,
    asked: Sequence[Call],
    recall: Recall | None,
    known_to: int | None,
) -> tuple[Decided, Written]:
    news = calls
    if found:
        news = found.news(calls)
        if not news:
            return Decided(), Written(0, ())
    with database.transaction() as connection:
        if found:
            known = _lock(connection, found, news, source)
        else:
            # Nobody else changes anything meanwhile, so there is nothing to lock.
            found = known = look(connection, asked, source).sound()
            news = found.news(news)
        told = (value for call in news for value in call.values())
        texts = (text for call in news for text in (call.reference, call.name))
        up_to = forgetting.check(connection, told, known_to, texts)
        teller = Teller(source, datetime.now(UTC), import_id, up_to)
        alone = import_id is not None
        decided = decide(news, known.known, known.ruled, teller.now, alone=alone)
        written = writing.write(connection, decided, teller)
    if recall and asked is calls:
        recall.heard(found)
    if decided.empty:
        # Of a row that says one thing again, something is left, whatever became of the other.
        decided.told.update(found.repeats(calls))
    return decided, written


def _lock(connection: Connection, found: Look, calls: Sequence[Call], source: str) -> Look:
    """Lock the customers of `calls` and return what is known of them now."""
    holders, nobody = found.known.holders, found.ruled.nobody
    given = {text for call in calls for text in call[:2]}
    before = {primary_id for value, primary_id in holders.items() if value.text in given}
    locked = {row.id for row in LOCKED.ask(connection, ((id_,) for id_ in before))}
    if nobody:
        evidence.hold_nobody(connection, nobody)
    if found.moment and before <= locked and found.moment == moment_of(connection):
        # Nobody has changed anything since, and those who would wait.
        return found
    # What nobody had brought yet is not asked for again: the key of `identifier` answers that.
    on_record = holders.keys() | nobody
    again = look(connection, [_only(call, on_record) for call in calls], source)
    if not set(again.known.oldest) <= locked:
        raise LostRace("another call merged some of these customers first")
    return again


def _only(call: Call, on_record: Collection[Value]) -> Call:
    """Return the part of a call that is on record."""
    here = {value.kind: value.text for value in call.values() if value in on_record}
    return call._replace(email=here.get(Kind.EMAIL), phone_number=here.get(Kind.PHONE))
