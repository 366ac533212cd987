"""Everything on record about one customer: contacts, what was told, rulings about it, history.

For somebody who asks what is kept about them. What was withdrawn is on record too, and says so.
Read from one snapshot and handed on piece by piece, however large the customer is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, FromClause, Text, select, true

from identity import evidence
from identity.bulk import Question, Selected
from identity.clusters import Member
from identity.events import Entry
from identity.evidence import CLAIM_COLUMNS, PHONE_IS_TOLD, Telling, telling
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim
from identity.portraying import history
from identity.portraying.membership import all_of
from identity.rulings import listing
from identity.rulings.kinds import (
    Apart,
    ClaimWithdrawn,
    ImportWithdrawn,
    LinksNobody,
    SourceWithdrawn,
    Unnamed,
    What,
)
from identity.rulings.register import Registered

CHUNK = 1_000
"""Contacts whose evidence is read at a time."""


@dataclass(frozen=True, slots=True)
class Told:
    """A claim, and what its source calls the records that it told it of."""

    claim: Telling
    references: tuple[tuple[str, str, int | None], ...]
    """Each with the name, and the import that brought it."""


Line = Member | Told | Registered | Entry


@dataclass(slots=True)
class _SoFar:
    """What has been met so far, by which it is known which rulings are about the customer."""

    claims: set[int] = field(default_factory=set)
    asked: set[Value] = field(default_factory=set)
    values: set[Value] = field(default_factory=set)
    contents: set[tuple[str | None, str | None]] = field(default_factory=set)
    imports: set[int | None] = field(default_factory=set)
    moments: list[tuple[str, datetime]] = field(default_factory=list)

    def add(self, claim: Telling) -> None:
        """Note a claim."""
        self.claims.add(claim.id)
        self.values.update(claim.values())
        self.contents.add(claim.content)
        self.imports.add(claim.import_id)
        self.moments.append((claim.source, claim.told_at))

    def is_about(self, what: What) -> bool:
        """Tell whether a ruling names something of what was met."""
        match what:
            case Apart(one, other):
                return one in self.values or other in self.values
            case LinksNobody(value):
                return value in self.values
            case ImportWithdrawn(import_id):
                return import_id in self.imports
            case SourceWithdrawn(source, since, until):
                return any(by == source and since <= at < until for by, at in self.moments)
            case ClaimWithdrawn(email, phone_number):
                return (email, phone_number) in self.contents
            case Unnamed():
                return False


def lines(connection: Connection, primary_id: int) -> Iterator[Line]:
    """Yield the contacts, all that was told, the rulings and the history of a customer.

    `connection` must show one moment.
    """
    met, members = _SoFar(), all_of(connection, primary_id)
    while chunk := list(islice(members, CHUNK)):
        yield from chunk
        yield from _told(connection, chunk, met)
    for ruling in listing.everything(connection):
        if met.is_about(ruling.what):
            yield ruling
    yield from history.history(connection, primary_id)


def _told(connection: Connection, members: Iterable[Member], met: _SoFar) -> Iterator[Told]:
    values = {v for m in members for v in Identifiers(m.email, m.phone_number).values()}
    new = values - met.asked
    met.asked |= new
    met.values |= new
    found: dict[int, Telling] = {}
    for kind, question in TOLD.items():
        asked = ((value.text,) for value in new if value.kind is kind)
        for row in question.ask(connection, asked, ruling=None):
            if row.id not in met.claims:
                found[row.id] = telling(row)
    called: dict[int, list[tuple[str, str, int | None]]] = {}
    for claim_id, *reference in evidence.REFERENCES.ask(connection, ((id_,) for id_ in found)):
        called.setdefault(claim_id, []).append(tuple(reference))
    for claim in sorted(found.values()):
        met.add(claim)
        yield Told(claim, tuple(called.get(claim.id, ())))


def _claims_with(column: Any) -> Question:
    def build(asked: FromClause) -> Selected:
        return (
            select(*CLAIM_COLUMNS)
            .select_from(asked)
            .join(Claim.table(), column == asked.c.value)
            .where(PHONE_IS_TOLD if column is _claim.phone_number else true())
        )

    return Question(build, value=Text)


_claim = Claim.table().c
# Those that are withdrawn too.
TOLD = {Kind.EMAIL: _claims_with(_claim.email), Kind.PHONE: _claims_with(_claim.phone_number)}
