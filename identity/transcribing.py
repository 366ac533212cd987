"""What the version before was told while it answered beside this one, made claims.

It knows no claims. Its evidence is in its lines of the ledger, and those do not say of themselves
that it is among the claims.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, FromClause, Text, and_, exists, select, text, update
from sqlalchemy.sql.dml import UpdateBase

from identity.bulk import Change, Load, Question, Selected
from identity.identifiers import Kind
from identity.models import Claim, Contact, Event, EventKind, Identifier

Content = tuple[str | None, str | None]
"""An email and a phone number, as they were told."""

MAKING = EventKind.CONTACT_CREATED, EventKind.CONTACT_LINKED
JOINING = EventKind.CLUSTERS_MERGED, EventKind.LINK_SEEN
"""A change of primary is no telling of its own: it repeats the line of the contact that it is due
to."""
IMPORT = re.compile(r"import:([0-9]{1,18})")

_event = Event.table().c
_contact = Contact.table().c
_claim = Claim.table().c
_identifier = Identifier.table().c

# In the words of the index, or SQLite does not see that it may use it.
_untold = text("NOT in_claims")
PENDING = select(exists(select(_event.id).where(_untold)))
LINES = (
    select(
        *(_event.id, _event.occurred_at, _event.kind, _event.source),
        *(_event.contact_id, _event.email, _event.phone_number),
    )
    .where(_untold)
    .order_by(_event.id)
    # Another process may be at it as well. Whoever waits finds them done.
    .with_for_update()
)


def _contacts(asked: FromClause) -> Selected:
    of_email = and_(_identifier.kind == Kind.EMAIL.value, _identifier.value == _contact.email)
    return (
        select(_contact.id, _contact.created_at, _identifier.contact_id, _claim.id.label("claim"))
        .select_from(asked)
        .join(Contact.table(), _contact.id == asked.c.id)
        .outerjoin(Identifier.table(), of_email)
        .outerjoin(Claim.table(), _claim.contact_id == asked.c.id)
    )


def _tellings(asked: FromClause) -> Selected:
    same = and_(_claim.email == asked.c.email, _claim.phone_number == asked.c.phone_number)
    return (
        select(_claim.email, _claim.phone_number, _claim.source, _claim.dated_at)
        .select_from(asked)
        .join(Claim.table(), same)
        .where(_claim.stands)
    )


def _transcribed(asked: FromClause) -> UpdateBase:
    done = _event.id.in_(select(asked.c.id))
    return update(Event.table()).where(done).values(in_claims=True)


CONTACTS = Question(_contacts, id=BigInteger)
TELLINGS = Question(_tellings, email=Text, phone_number=Text)
TRANSCRIBED = Change(_transcribed, id=BigInteger)
CLAIMS = Load(
    Claim.table(),
    *("id", "email", "phone_number", "source", "told_at", "dated_at"),
    *("import_id", "contact_id", "brought"),
)


class Line(NamedTuple):
    """A line of the ledger, as the version before writes it."""

    id: int
    occurred_at: datetime
    kind: str
    source: str
    contact_id: int | None
    email: str | None
    phone_number: str | None

    @property
    def content(self) -> Content:
        """The email and the phone number."""
        return self.email, self.phone_number


class New(NamedTuple):
    """A claim to be made of a line."""

    line: Line
    dated_at: datetime
    contact_id: int | None = None
    brought: Kind | None = None


def pending(connection: Connection) -> bool:
    """Tell whether there are lines whose evidence is not among the claims."""
    return bool(connection.scalar(PENDING))


def transcribe(connection: Connection) -> list[Content]:
    """Make claims of such lines; return what they say, in order. Needs a transaction."""
    lines = [Line(*row) for row in connection.execute(LINES)]
    claims = list(_claims(connection, lines))
    CLAIMS.insert(connection, map(_row, claims))
    TRANSCRIBED.make(connection, ((line.id,) for line in lines))
    return [claim.line.content for claim in claims]


def _claims(connection: Connection, lines: list[Line]) -> Iterator[New]:
    made = {line.contact_id for line in lines if line.kind in MAKING}
    contacts = {row.id: row for row in CONTACTS.ask(connection, ((id_,) for id_ in made))}
    pairs = {line.content for line in lines if line.email and line.phone_number}
    tellings = TELLINGS.ask(connection, pairs)
    oldest: dict[Content, datetime] = {}
    told = set()
    for *pair, source, dated_at in tellings:
        oldest[*pair] = min(dated_at, oldest.get((*pair,), dated_at))
        told.add((*pair, source))
    for line in lines:
        if line.kind in MAKING:
            # Never a repeat, whoever says the same meanwhile. That it is among the claims already
            # happens where it was written during the migration.
            contact = contacts.get(line.contact_id)
            if contact is None or contact.claim is not None:
                continue
            brings_email = contact.contact_id == line.contact_id
            brought = Kind.EMAIL if brings_email or not line.phone_number else Kind.PHONE
            claim = New(line, contact.created_at, line.contact_id, brought)
        elif line.kind in JOINING and (*line.content, line.source) not in told:
            # Not older than what says the same, or a contact would become older by it.
            claim = New(line, max(line.occurred_at, oldest.get(line.content, line.occurred_at)))
        else:
            continue
        told.add((*line.content, line.source))
        oldest[line.content] = min(claim.dated_at, oldest.get(line.content, claim.dated_at))
        yield claim


def _row(claim: New) -> tuple[object, ...]:
    line = claim.line
    number = IMPORT.fullmatch(line.source)
    return (
        *(line.id, *line.content, line.source, line.occurred_at, claim.dated_at),
        *(number and int(number[1]), claim.contact_id, claim.brought and claim.brought.value),
    )
