"""Batches in the database: what is known of one, and writing what was decided about it."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, FromClause, Text, and_, case, func, select, text
from sqlalchemy.orm import aliased

from identity import database
from identity.bulk import Load, Question, Selected
from identity.errors import LostRace
from identity.events import EventKind
from identity.importing.deciding import NEW, Decided, Known, decide
from identity.importing.rows import Call
from identity.models import Contact, Event, Identifier, Kind, Link, Precedence
from identity.writing import ABSORB

TRIES = 3
"""A batch that lost this often is better divided than tried again."""

EMAIL, PHONE = Kind.EMAIL.value, Kind.PHONE.value
PRIMARY, SECONDARY = Precedence.PRIMARY.value, Precedence.SECONDARY.value

_holder = aliased(Contact, name="holder")
_primary = aliased(Contact, name="primary")


def _holders(asked: FromClause) -> Selected:
    # Told from the value, and not asked for one kind after the other: SQLite would then begin
    # with all identifiers of that kind.
    kind = case((asked.c.value.contains("@"), EMAIL), else_=PHONE)
    return (
        select(Identifier.value, _primary.id, _primary.created_at)
        .select_from(asked)
        .join(
            Identifier,
            and_(Identifier.kind == kind, Identifier.value == asked.c.value),
        )
        .join(_holder, _holder.id == Identifier.contact_id)
        .join(_primary, _primary.id == func.coalesce(_holder.linked_id, _holder.id))
    )


def _pairs(asked: FromClause) -> Selected:
    together = and_(Link.email == asked.c.email, Link.phone_number == asked.c.phone_number)
    return select(Link.email, Link.phone_number).select_from(asked).join(Link, together)


def _locked(asked: FromClause) -> Selected:
    return (
        select(Contact.id)
        .select_from(asked)
        .join(Contact, Contact.id == asked.c.id)
        .where(Contact.linked_id.is_(None))
        # As identify does, and for the same reason.
        .order_by(Contact.id)
        .with_for_update(of=Contact)
    )


def _followers(asked: FromClause) -> Selected:
    linked = Contact.linked_id == asked.c.id
    return select(Contact.linked_id, Contact.id).select_from(asked).join(Contact, linked)


HOLDERS = Question(_holders, value=Text)
PAIRS = Question(_pairs, email=Text, phone_number=Text)
LOCKED = Question(_locked, id=BigInteger)
FOLLOWERS = Question(_followers, id=BigInteger)

CONTACTS = Load(
    Contact.table(),
    *("id", "email", "phone_number", "linked_id", "link_precedence", "created_at", "updated_at"),
)
IDENTIFIERS = Load(Identifier.table(), "kind", "value", "contact_id")
LINKS = Load(Link.table(), "email", "phone_number", "source", "first_seen_at")
EVENTS = Load(
    Event.table(),
    *("occurred_at", "kind", "source", "primary_id", "contact_id"),
    *("email", "phone_number", "detail"),
)
NEXT_IDS = text(
    "SELECT array_agg(nextval(pg_get_serial_sequence('contact', 'id')))"
    " FROM generate_series(1, :count)"
)
LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = 'contact'")


def _known_of(connection: Connection, calls: Sequence[Call]) -> Known:
    """Return what the database knows of the identifiers and pairs of `calls`."""
    known = Known()
    given = {(value,) for call in calls for value in call[:2] if value}
    for value, primary_id, created_at in HOLDERS.ask(connection, given):
        known.holders[value] = primary_id
        known.created_at[primary_id] = created_at
    pairs = {call[:2] for call in calls if call[0] in known.holders and call[1] in known.holders}
    known.pairs = {(email, phone_number) for email, phone_number in PAIRS.ask(connection, pairs)}
    return known


def look_up(calls: Sequence[Call]) -> Known:
    """Return what is known of `calls` at one moment."""
    with database.snapshot() as connection:
        return _known_of(connection, calls)


def settle(calls: Sequence[Call], source: str) -> Decided:
    """Write what `calls` bring, in one transaction, and return it.

    Raise `Unavailable` when the database cannot be reached or too many of the customers
    concerned kept being changed by others; then nothing was written.
    """
    return database.retrying(lambda: _settle(calls, source), tries=TRIES)


def _settle(calls: Sequence[Call], source: str) -> Decided:
    if database.has_one_writer():
        # Nobody else changes anything meanwhile, so there is nothing to lock and read again.
        with database.transaction() as connection:
            known = _known_of(connection, calls)
            return _write(connection, known, known.news(calls), source)
    known = look_up(calls)
    news = known.news(calls)
    if not news:
        return decide((), Known(), NEW, datetime.now(UTC))
    with database.transaction() as connection:
        return _write(connection, _lock(connection, known, news), news, source)


def _write(connection: Connection, known: Known, news: Sequence[Call], source: str) -> Decided:
    now = datetime.now(UTC)
    decided = decide(news, known, NEW, now)
    _Writing(connection, decided, source, now).write()
    return decided


def _lock(connection: Connection, known: Known, calls: Sequence[Call]) -> Known:
    """Lock the customers of `calls` and return what is known of them now."""
    values = {value for call in calls for value in call[:2] if value in known.holders}
    before = {known.holders[value] for value in values}
    locked = {row.id for row in LOCKED.ask(connection, ((id_,) for id_ in before))}
    # What nobody had brought yet is not asked for again: the key of `identifier` answers that.
    old = known.holders
    again = _known_of(
        connection,
        [
            (email if email in old else None, phone if phone in old else None, None, line)
            for email, phone, _, line in calls
        ],
    )
    if not set(again.created_at) <= locked:
        raise LostRace("another call merged some of these customers first")
    return again


class _Writing:
    """Writes one decision."""

    def __init__(
        self, connection: Connection, decided: Decided, source: str, now: datetime
    ) -> None:
        self._connection = connection
        self._decided = decided
        self._source = source
        self._now = now
        self._ids = self._new_ids(len(decided.contacts))

    def write(self) -> None:
        """Write contacts, identifiers, links and events, and link whoever was absorbed."""
        moved = self._moved()
        # SQLite wants a primary to be there before anybody is linked to it.
        for primaries in (True, False):
            CONTACTS.insert(self._connection, self._contacts(primaries=primaries))
        # In the order of their keys: two loads that insert the same identifiers in different
        # orders would wait for each other, and are told so only by an error.
        IDENTIFIERS.insert(self._connection, sorted(self._identifiers()))
        LINKS.insert(
            self._connection,
            sorted((*pair, self._source, self._now) for pair in self._decided.links),
        )
        self._absorb()
        EVENTS.insert(self._connection, self._events(moved))

    def _id(self, number: int) -> int:
        return number if number < NEW else self._ids[number - NEW]

    def _new_ids(self, count: int) -> list[int]:
        if self._connection.dialect.name == "postgresql":
            return sorted(self._connection.scalar(NEXT_IDS, {"count": count}) or ())
        # Nobody else adds a contact while this transaction lasts.
        last = self._connection.scalar(LAST_ID) or 0
        return list(range(last + 1, last + count + 1))

    def _contacts(self, *, primaries: bool) -> Iterable[tuple[Any, ...]]:
        for number, email, phone_number, created_at, primary in self._decided.contacts:
            if (number == primary) is not primaries:
                continue
            precedence = PRIMARY if number == primary else SECONDARY
            linked_id = None if number == primary else self._id(primary)
            yield (
                *(self._id(number), email, phone_number, linked_id),
                *(precedence, created_at, self._now),
            )

    def _identifiers(self) -> Iterable[tuple[Any, ...]]:
        for value, number in self._decided.identifiers:
            yield EMAIL if "@" in value else PHONE, value, self._id(number)

    def _moved(self) -> dict[int, list[int]]:
        """Return the contacts that change their primary, by the primary they had."""
        moved = {former: [former] for former, _ in self._decided.absorbed}
        for former, follower in FOLLOWERS.ask(self._connection, ((id_,) for id_ in moved)):
            moved[former].append(follower)
        return moved

    def _absorb(self) -> None:
        values = [
            {"about": former, "linked_to": self._id(primary), "now": self._now}
            for former, primary in self._decided.absorbed
        ]
        if values:
            self._connection.execute(ABSORB, values)

    def _events(self, moved: dict[int, list[int]]) -> Iterable[tuple[Any, ...]]:
        for kind, primary, contact, email, phone_number in self._decided.told:
            detail = None
            if kind in (EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED):
                assert contact is not None
                detail = json.dumps({"absorbed": contact, "moved": sorted(moved[contact])})
            yield (
                *(self._now, kind.value, self._source, self._id(primary)),
                *(None if contact is None else self._id(contact), email, phone_number, detail),
            )
