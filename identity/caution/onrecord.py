"""What is on record of values that strangers share: who told them before, and what was ruled."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Text,
    and_,
    exists,
    func,
    select,
    true,
)

from identity import database, evidence
from identity.bulk import Question, Selected
from identity.caution import names
from identity.caution.strangers import Crowd, Record
from identity.evidence import PHONE_IS_TOLD
from identity.fillers import FEW
from identity.identifiers import Kind, Value
from identity.models import Claim, Contact, Import, Reference, Ruling
from identity.rulings import kinds
from identity.rulings.kinds import LinksNobody

LOOKED_AT = 500
"""Tellings of a value that are looked at. With so many of them a few more make no difference."""
FOLLOWED = 2_000
"""Identifiers told with a value whose customers are looked up."""

_claim = Claim.table().c
_ruling = Ruling.table().c
_reference = Reference.table().c
_SAID = {Kind.EMAIL: _claim.email, Kind.PHONE: _claim.phone_number}


def has_told(source: str) -> bool:
    """Tell whether a feed has told anything before."""
    told = select(exists().where(Import.feed == source))
    return bool(database.read(lambda connection: connection.scalar(told)))


def _told_by(kind: Kind) -> Question:
    column = _SAID[kind]

    def build(asked: FromClause) -> Selected:
        return (
            select(column, func.count())
            .select_from(asked)
            .join(Claim.table(), column == asked.c.value)
            .where(_claim.stands, _claim.source == asked.c.source)
            .where(PHONE_IS_TOLD if kind is Kind.PHONE else true())
            .group_by(column)
        )

    return Question(build, value=Text, source=Text)


TOLD_BY = {kind: _told_by(kind) for kind in Kind}


def told_before(
    connection: Connection, source: str, rows: Mapping[Value, int]
) -> dict[Value, set[Record]]:
    """Return what a feed has told with values that so many rows give now, and said about whom.

    Those of which it makes too few to matter, all together, are left out: last night's file may
    have had a hundred thousand of them, each once.
    """
    found: dict[Value, set[Record]] = {}
    for kind, question in TOLD_BY.items():
        asked = ((value.text, source) for value in rows if value.kind is kind)
        for text, told in question.ask(connection, asked):
            value = Value(kind, text)
            if told + rows[value] >= FEW:
                found[value] = set(records(connection, value, source))
    return found


def records(connection: Connection, value: Value, source: str) -> Iterable[Record]:
    """Yield what a source has told with a value, the latest first and not without end."""
    column = _SAID[value.kind]
    chosen = (
        select(_claim.id, _claim.email, _claim.phone_number)
        .where(column == value.text, _claim.source == source, _claim.stands)
        .where(PHONE_IS_TOLD if value.kind is Kind.PHONE else true())
        # Plus nothing: else a database may begin with the latest claim of all.
        .order_by((_claim.id + 0).desc())
        .limit(LOOKED_AT)
    )
    told = connection.execute(chosen).all()
    named: dict[int, list[tuple[str, str]]] = {}
    for claim_id, reference, name, _ in evidence.REFERENCES.ask(
        connection, ((row.id,) for row in told)
    ):
        named.setdefault(claim_id, []).append((reference, name))
    for id_, email, phone_number in told:
        given = (Value(Kind.EMAIL, email), Value(Kind.PHONE, phone_number))
        others = tuple(each for each in given if each.text and each != value)
        for reference, name in named.get(id_, [("", "")]):
            yield Record(others, reference, names.words(name) if name else ())


def _customers(asked: FromClause) -> Selected:
    contact = Contact.table().c
    return (
        select(contact.id, func.coalesce(contact.linked_id, contact.id))
        .select_from(asked)
        .join(Contact.table(), and_(contact.id == asked.c.id, contact.deleted_at.is_(None)))
    )


CUSTOMERS = Question(_customers, id=BigInteger)


def together(
    connection: Connection, crowds: Mapping[Value, Crowd]
) -> dict[Value, list[list[Value]]]:
    """Return which identifiers told with each value are one customer's already.

    Where the value itself is on record, it may be what joined them; that tells nothing.
    """
    known = evidence.holders_of(connection, crowds)
    found: dict[Value, list[list[Value]]] = {}
    for value, crowd in crowds.items():
        others = crowd.others()
        if value in known or len(others) > FOLLOWED:
            continue
        holders = evidence.holders_of(connection, others)
        asked = ((id_,) for id_ in holders.values() if id_ is not None)
        customers = dict(map(tuple, CUSTOMERS.ask(connection, asked)))
        groups: dict[int, list[Value]] = {}
        for other, holder in holders.items():
            if holder in customers:
                groups.setdefault(customers[holder], []).append(other)
        found[value] = list(groups.values())
    return found


def undone(connection: Connection, values: Collection[Value]) -> dict[Value, int]:
    """Return the last ruling by which each of some values linked nobody, where it was undone."""
    spelt = {kinds.spelt(LinksNobody(value)): value for value in values}
    chosen = (
        select(_ruling.id, _ruling.what)
        .where(_ruling.kind == LinksNobody.kind.value, _ruling.withdrawn_at.is_not(None))
        .order_by(_ruling.id)
    )
    return {spelt[what]: id_ for id_, what in connection.execute(chosen) if what in spelt}
