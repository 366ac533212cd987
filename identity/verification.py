"""The auditor: rebuild every customer from the evidence, and compare with what is stored.

Trusts nothing that was written about customers: they follow from claims and rulings alone, and what
stands otherwise is drift. Reads one moment, a bounded number of customers at a time, so it may run
while the service is busy. Problems name contacts and claims by id, never by email or phone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from identity import database, rebuilding
from identity.bulk import without_collecting
from identity.deciding import NEW
from identity.identifiers import KINDS, Kind, Value
from identity.models import Claim, Contact, Identifier, KeptApart, Ruling, Withdrawal
from identity.rebuilding import Part, Rebuilt
from identity.rulings import register
from identity.rulings.kinds import RulingKind
from identity.writing import Row

SHOWN = 20
"""Problems worth printing; the hundredth says nothing that the first did not."""
AT_ONCE = 2_000
"""Customers that are rebuilt at once."""


@dataclass(slots=True)
class Report:
    """What was counted, and each way in which the tables contradict the evidence."""

    contacts: int = 0
    clusters: int = 0
    identifiers: int = 0
    links: int = 0
    """Pairs that were told."""
    claims: int = 0
    rulings: int = 0
    """Those that stand."""
    unfinished: list[str] = field(default_factory=list)
    """Rulings that are being applied or taken back, or were broken off."""
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = f"{len(self.problems)} problems" if self.problems else "no drift"
        return (
            f"{self.contacts} contacts in {self.clusters} clusters, "
            f"{self.identifiers} identifiers, {self.links} links, {self.claims} claims, "
            f"{self.rulings} rulings: {verdict}"
        )


_other = aliased(Contact)
_LIVE = Contact.deleted_at.is_(None)
PRIMARIES = (
    select(Contact.id).where(Contact.linked_id.is_(None), _LIVE).order_by(Contact.id).limit(AT_ONCE)
)
# What no primary leads to, each with the values to look at it by.
ASTRAY: tuple[Select[*tuple[Any, ...]], ...] = (
    # Linked to somebody who is linked too, or ceased.
    select(Contact.email, Contact.phone_number)
    .join(_other, _other.id == Contact.linked_id)
    .where(_LIVE, or_(_other.linked_id.is_not(None), _other.deleted_at.is_not(None))),
    # Told, and nobody's.
    *(
        select(Claim.email, Claim.phone_number).where(
            Claim.stands,
            column.is_not(None),
            ~exists().where(Identifier.kind == kind.value, Identifier.value == column),
        )
        for kind, column in ((Kind.EMAIL, Claim.email), (Kind.PHONE, Claim.phone_number))
    ),
)
_SAID = case((Identifier.kind == Kind.EMAIL.value, Contact.email), else_=Contact.phone_number)
# Held by a contact that ceased, or does not say it.
ASTRAY_IDENTIFIERS = (
    select(Identifier.kind, Identifier.value)
    .join(Contact, Contact.id == Identifier.contact_id)
    .where(
        or_(
            Contact.deleted_at.is_not(None),
            func.coalesce(
                case(
                    (Identifier.kind == Kind.EMAIL.value, Contact.email), else_=Contact.phone_number
                ),
                "",
            )
            != Identifier.value,
        )
    )
)


def verify() -> Report:
    """Return a report on the whole database. Takes minutes for a million contacts, and 100 MB."""
    rebuilding.catch_up()
    with database.snapshot() as connection:
        report = _count(connection)
        report.unfinished = list(_unfinished(connection))
        report.problems += _loose_rulings(connection)
        for part in _parts(connection):
            with without_collecting():
                rebuilt = rebuilding.follow(part.claims.values(), part.ruled)
                report.problems += _contradictions(part, rebuilt)
    # Who is astray may belong to a part that was looked at already.
    report.problems = list(dict.fromkeys(report.problems))
    return report


def _count(connection: Connection) -> Report:
    def count(model: Any, *conditions: Any) -> Any:
        return select(func.count()).select_from(model).where(*conditions).scalar_subquery()

    pairs = (
        select(Claim.email, Claim.phone_number)
        .where(Claim.stands, Claim.email.is_not(None), Claim.phone_number.is_not(None))
        .distinct()
        .subquery()
    )
    counted = connection.execute(
        select(
            count(Contact, _LIVE),
            count(Contact, _LIVE, Contact.linked_id.is_(None)),
            count(Identifier, Identifier.contact_id.is_not(None)),
            select(func.count()).select_from(pairs).scalar_subquery(),
            count(Claim, Claim.stands),
            count(Ruling, Ruling.withdrawn_at.is_(None)),
        )
    ).one()
    return Report(*counted)


def _unfinished(connection: Connection) -> Iterator[str]:
    for ruling in register.unfinished(connection):
        doing = "taken back" if ruling.withdrawn else "applied"
        yield (
            f"ruling {ruling.id} is being {doing}, or was broken off: it has come to claim "
            f"{ruling.done} of {ruling.up_to}. Saying it again does the rest."
        )


def _parts(connection: Connection) -> Iterator[Part]:
    """Yield all customers with all that is connected with them, none twice."""
    last, seen = 0, set[int]()
    while ids := list(connection.scalars(PRIMARIES.where(Contact.id > last))):
        last = ids[-1]
        left = [id_ for id_ in ids if id_ not in seen]
        part = rebuilding.read(connection, (), contacts=left)
        # Whoever is connected with these, and would come later.
        seen = {id_ for id_ in {*seen, *part.primaries()} if id_ > last}
        yield part
    yield rebuilding.read(connection, set(_astray(connection)))


def _astray(connection: Connection) -> Iterator[Value]:
    for question in ASTRAY:
        for email, phone_number in connection.execute(question):
            for kind, text in ((Kind.EMAIL, email), (Kind.PHONE, phone_number)):
                if text is not None:
                    yield Value(kind, text)
    for named, text in connection.execute(ASTRAY_IDENTIFIERS):
        yield Value(KINDS[named], text)


def _loose_rulings(connection: Connection) -> Iterator[str]:
    """Yield where what rulings left in the tables, and the rulings, do not go together."""
    standing = exists().where(Ruling.id == KeptApart.ruling_id, Ruling.withdrawn_at.is_(None))
    if connection.scalar(select(func.count()).select_from(KeptApart).where(~standing)):
        yield "identifiers are kept apart by no ruling that stands"
    apart = select(Ruling.id).where(
        Ruling.kind == RulingKind.APART.value,
        Ruling.withdrawn_at.is_(None),
        ~exists().where(KeptApart.ruling_id == Ruling.id),
    )
    for ruling_id in connection.scalars(apart):
        yield f"ruling {ruling_id}: keeps nothing apart"
    nobody = select(func.count()).select_from(Identifier).where(Identifier.contact_id.is_(None))
    ruled = select(func.count()).where(
        Ruling.kind == RulingKind.LINKS_NOBODY.value, Ruling.withdrawn_at.is_(None)
    )
    if connection.scalar(nobody) != connection.scalar(ruled):
        yield "not as many values link nobody as rulings say so"
    covered = exists().where(Withdrawal.claim_id == Claim.id)
    for claim_id in connection.scalars(
        select(Claim.id).where(or_(and_(~Claim.stands, ~covered), and_(Claim.stands, covered)))
    ):
        yield f"claim {claim_id}: stands, or does not, against the rulings"


def _contradictions(part: Part, rebuilt: Rebuilt) -> Iterator[str]:
    corrections = rebuilding.difference(part, rebuilt)
    for row in corrections.added:
        which = f"contact {row.id}" if row.id < NEW else "a contact"
        yield f"{which}: is missing"
    for row in corrections.changed:
        yield from _differences(part, row)
    for id_ in corrections.ceased:
        yield f"contact {id_}: stands, and no evidence says so"
    for value, holder in corrections.held:
        which = f"contact {holder}" if holder and holder < NEW else "a contact"
        yield f"{which}: its {value.kind} is no identifier"
    for value, _ in corrections.moved:
        yield f"contact {part.holders[value]}: holds an identifier that is another's"
    for value in corrections.dropped:
        yield f"contact {part.holders[value]}: holds an identifier that nobody told of"
    for claim_id, *_ in corrections.remembered:
        yield f"claim {claim_id}: made, or is held, otherwise than is noted"


def _differences(part: Part, row: Row) -> Iterator[str]:
    stored = part.contacts[row.id]
    if stored.ceased_at is not None:
        yield f"contact {row.id}: ceased, and the evidence says that it stands"
        return
    if stored.linked_id != row.linked_id:
        yield f"contact {row.id}: {_standing(stored.linked_id)}, and not {_standing(row.linked_id)}"
    if (stored.email, stored.phone_number) != (row.email, row.phone_number):
        yield f"contact {row.id}: says something else than it was told"
    if stored.created_at != row.created_at:
        yield f"contact {row.id}: is dated otherwise than it was told"


def _standing(linked_id: int | None) -> str:
    if linked_id is None:
        return "is a primary"
    return "is linked to one yet to be made" if linked_id >= NEW else f"is linked to {linked_id}"
