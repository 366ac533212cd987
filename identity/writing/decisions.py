"""Whatever else was decided, of one call or of twenty thousand rows of a file."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    and_,
    bindparam,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from identity import forgetting
from identity.bulk import Change, Question, Selected
from identity.database import UtcDateTime
from identity.deciding import NEW, Decided, NewContact
from identity.errors import LostRace
from identity.identifiers import Kind
from identity.models import Claim, Contact, EventKind
from identity.moments import spoken
from identity.probing import is_value
from identity.writing.contacts import is_one_contact, write_contact
from identity.writing.customers import Copied
from identity.writing.founding import founded
from identity.writing.loads import (
    CLAIMS,
    CONTACTS,
    LINES,
    NEW_REFERENCES,
    PRIMARY,
    REFERENCES,
    SECONDARY,
    Teller,
    Written,
    draw,
)
from identity.writing.staging import Staged

_contact = Contact.table().c
_contact_id = bindparam("about", type_=BigInteger)
_now = bindparam("now", type_=UtcDateTime)

# Whoever is made a primary is not linked to itself. Whoever is one stays as it was.
PROMOTE = (
    update(Contact.table())
    .where(_contact.id == _contact_id, _contact.linked_id.is_not(None))
    .values(linked_id=null(), link_precedence=PRIMARY, updated_at=_now)
)
ABSORB = (
    update(Contact.table())
    .where(
        or_(_contact.id == _contact_id, _contact.linked_id == _contact_id),
        _contact.id != bindparam("survivor", type_=BigInteger),
    )
    .values(
        linked_id=bindparam("survivor", type_=BigInteger),
        link_precedence=SECONDARY,
        updated_at=_now,
    )
)


def _followers(asked: FromClause) -> Selected:
    linked = and_(is_value(_contact.linked_id, asked.c.id), Contact.deleted_at.is_(None))
    return select(Contact.linked_id, Contact.id).select_from(asked).join(Contact, linked)


def _redate_contact(asked: FromClause) -> UpdateBase:
    return (
        update(Contact.table())
        .where(_contact.id == asked.c.id)
        .values(created_at=asked.c.moment, updated_at=_now)
    )


def _redate_claim(asked: FromClause) -> UpdateBase:
    claim = Claim.table()
    return update(claim).where(claim.c.id == asked.c.id).values(dated_at=asked.c.moment)


NAMES: dict[str, str] = {kind: kind.value for kind in (*Kind, *EventKind)}
"""What the tables call each kind. To ask a kind for it takes six times as long."""
FOLLOWERS = Question(_followers, id=BigInteger)
REDATE_CONTACTS = Change(_redate_contact, id=BigInteger, moment=UtcDateTime)
REDATE_CLAIMS = Change(_redate_claim, id=BigInteger, moment=UtcDateTime)


def write(connection: Connection, decided: Decided, teller: Teller) -> Written:
    """Write what was decided, in the transaction that decided it."""
    # A claim of an import names it, which the statement for a call has no place for.
    if teller.import_id is None and is_one_contact(decided):
        return write_contact(connection, decided, teller)
    return _Writing(connection, decided, teller).write()


class _Writing:
    """Writes one decision."""

    def __init__(self, connection: Connection, decided: Decided, teller: Teller) -> None:
        self._connection = connection
        self._decided = decided
        self._teller = teller
        self._now = teller.now
        self._ids = Written(
            decided.first, draw(connection, "contact", decided.next - decided.first)
        )
        claims = len(decided.claims) + len(decided.alone)
        self._places = draw(connection, "event", claims)
        self._others = founded(connection, decided, self._ids, self._places)
        founding = Copied if connection.dialect.name == "postgresql" else Staged
        self._founded = founding(connection, self._others.rows, teller)
        self._risen: dict[int, int] = {}

    def write(self) -> Written:
        """Write everything, and link whoever was absorbed."""
        decided, connection = self._decided, self._connection
        moved = self._moved()
        if decided.references and not (decided.identifiers or decided.alone):
            # No identifier is written, so nothing else looks whether a name's person was erased.
            forgetting.hold_out(connection, self._teller.up_to)
        # SQLite wants a primary to be there before anybody is linked to it.
        CONTACTS.insert(connection, self._contacts(primaries=True))
        self._founded.write_contacts()
        CONTACTS.insert(connection, self._contacts(primaries=False))
        try:
            self._founded.write_identifiers(list(self._identifiers()))
        except LostRace:
            # Perhaps to an erasure.
            forgetting.of(connection).catch_up(connection)
            raise
        CLAIMS.insert(connection, self._claims())
        self._founded.write_claims()
        self._write_references()
        self._redate()
        self._absorb()
        self._founded.write_lines()
        LINES.insert(connection, self._lines(moved))
        self._founded.write_lines_alone()
        return self._ids

    def _write_references(self) -> None:
        new: list[tuple[Any, ...]] = []
        others: list[tuple[Any, ...]] = []
        for claim, reference, name in self._decided.references:
            rows = new if claim >= NEW else others
            rows.append((self._claim(claim), reference, name, self._teller.import_id))
        NEW_REFERENCES.insert(self._connection, new)
        REFERENCES.insert(self._connection, others)

    def _identifiers(self) -> Iterable[tuple[str, str, int]]:
        for value, number in self._others.identifiers:
            yield NAMES[value.kind], value.text, self._ids.contact(number)

    def _claim(self, number: int) -> int:
        return number if number < NEW else self._places[number - self._decided.first_claim]

    def _contacts(self, *, primaries: bool) -> Iterable[tuple[Any, ...]]:
        for contact in self._others.contacts:
            if (contact.number == contact.primary) is primaries:
                yield self._contact(contact)

    def _contact(self, contact: NewContact) -> tuple[Any, ...]:
        number, email, phone_number, created_at, primary = contact
        is_primary = number == primary
        return (
            *(self._ids.contact(number), email, phone_number),
            *(None if is_primary else self._ids.contact(primary),),
            *(PRIMARY if is_primary else SECONDARY, created_at, self._now),
        )

    def _claims(self) -> Iterator[tuple[Any, ...]]:
        source, now, import_id, _ = self._teller
        for number, email, phone_number, dated, memory, held_by in self._others.claims:
            yield (
                *(self._claim(number), email, phone_number, source, now, dated, import_id),
                *(self._number(memory.contact), memory.brought and NAMES[memory.brought]),
                *(self._number(memory.other), held_by),
            )

    def _number(self, number: int | None) -> int | None:
        return None if number is None else self._ids.contact(number)

    def _moved(self) -> dict[int, list[int]]:
        """Return the contacts that change their primary, by the primary they had."""
        moved = {former: [former] for former, _ in self._decided.absorbed}
        heirs = dict(self._decided.absorbed)
        for former, follower in FOLLOWERS.ask(self._connection, ((id_,) for id_ in moved)):
            if follower != heirs[former]:
                moved[former].append(follower)
            else:
                self._risen[former] = follower
        return moved

    def _redate(self) -> None:
        moment = spoken(self._connection.dialect)
        contacts = ((id_, moment(dated)) for id_, _, dated in sorted(self._decided.redated))
        REDATE_CONTACTS.make(self._connection, contacts, now=self._now)
        claims = ((id_, moment(dated)) for id_, dated in sorted(self._decided.redated_claims))
        REDATE_CLAIMS.make(self._connection, claims)

    def _absorb(self) -> None:
        absorbed = [(former, self._ids.contact(heir)) for former, heir in self._decided.absorbed]
        known = {
            heir
            for (_, heir), (_, number) in zip(absorbed, self._decided.absorbed, strict=True)
            if number < NEW
        }
        if known:
            self._connection.execute(PROMOTE, [{"about": i, "now": self._now} for i in known])
        if absorbed:
            self._connection.execute(
                ABSORB,
                [
                    {"about": former, "survivor": heir, "now": self._now}
                    for former, heir in absorbed
                ],
            )

    def _lines(self, moved: dict[int, list[int]]) -> Iterator[tuple[Any, ...]]:
        for kind, primary, contact, email, phone_number in self._others.lines:
            detail = None
            if kind in (EventKind.CLUSTERS_MERGED, EventKind.PRIMARY_CHANGED):
                assert contact is not None
                told = {"absorbed": contact, "moved": sorted(moved[contact])}
                if contact in self._risen:
                    told["risen"] = self._risen[contact]
                detail = json.dumps(told)
            yield (
                *(self._now, NAMES[kind], self._teller.name, self._ids.contact(primary)),
                *(self._number(contact), email, phone_number, detail, True),
            )
