"""Whom words find in each place they may stand in: one statement for each. Nothing here writes.

A place answers with so many rows at most, by the index that fits or, where there is none, one row
after another. Of a sample of its rows it answers at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, func, or_, select

from identity.evidence import holders_of
from identity.explaining import now, primaries_of
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim, Contact, Identifier, Reference
from identity.searching.words import KINDS, Where, Word

ROWS = 500
"""Rows that one place answers with, at most. With more, the words say too little."""
SAMPLE = 10_000
"""Rows of a place that tell how common a word is."""
FEW = 10
"""Emails that begin alike, at most."""
LAST = "\U0010ffff"
"""Comes after every other letter."""

_contact = Contact.table().c
_claim = Claim.table().c
_primary_id = func.coalesce(_contact.linked_id, _contact.id).label("primary_id")
LIVE = _contact.deleted_at.is_(None)


class Hit(NamedTuple):
    """Something that was found, and whose it is."""

    where: Where
    text: str
    contact_id: int | None
    """None for a value that links nobody, and for the id of a contact that ceased."""
    primary_id: int | None


class Hits(NamedTuple):
    """What was found in one place, and whether there may be more."""

    hits: list[Hit]
    more: bool


def patterns(
    column: ColumnElement[Any], where: Where, word: Word, dialect: str
) -> Iterator[ColumnElement[bool]]:
    """Yield what may be true of a column that has the word."""
    if where is Where.PHONE:
        yield from (column.like(each) for each in word.patterns())
    elif where is Where.EMAIL and word.in_emails:
        yield column.like(f"%{_escaped(word.text)}%", escape="\\")
    elif where is Where.REFERENCE:
        yield from (_begins(column, each) for each in word.references)
    elif where is Where.NAME and word.in_names:
        # Both know which letters are the same but for those of English.
        loose = "".join(letter if letter.isascii() else "_" for letter in _escaped(word.typed))
        like = column.ilike if dialect == "postgresql" else column.like
        yield like(f"%{loose}%", escape="\\")


def _begins(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    # Said as a pattern, neither would use an index.
    return and_(column >= text, column < text + LAST)


def _escaped(text: str) -> str:
    return text.translate({ord(letter): f"\\{letter}" for letter in "\\%_"})


def _source(table: FromClause, *, sample: bool) -> FromClause:
    return select(table).limit(SAMPLE).subquery("sample") if sample else table


def identifiers(where: Where, words: Sequence[Word], connection: Connection, sample: bool) -> Hits:
    """Return the emails, or phone numbers, with all of the words."""
    source = _source(Identifier.table(), sample=sample)
    dialect, kind = connection.dialect.name, KINDS[where].value
    # Said plainly, PostgreSQL would fetch all emails, and then those that an index finds.
    is_kind = func.coalesce(source.c.kind, kind) if dialect == "postgresql" else source.c.kind
    alike = (or_(*patterns(source.c.value, where, word, dialect)) for word in words)
    chosen = select(source.c.value, source.c.contact_id).where(is_kind == kind, *alike)
    inner = chosen.limit(ROWS).subquery("found")
    holder = and_(_contact.id == inner.c.contact_id, LIVE)
    rows = connection.execute(
        select(inner.c.value, inner.c.contact_id, _primary_id).outerjoin_from(
            inner, Contact.table(), holder
        )
    ).all()
    hits = (Hit(where, *row) for row in rows if _is_known(*row[1:]))
    return Hits(_with_all(words, hits), len(rows) == ROWS)


def _is_known(contact_id: int | None, primary_id: int | None) -> bool:
    """Tell whether a value is a customer's, or nobody's by a ruling."""
    return contact_id is None or primary_id is not None


def _with_all(words: Sequence[Word], hits: Iterable[Hit]) -> list[Hit]:
    return [hit for hit in hits if all(word.spans(*hit[:2]) for word in words)]


def names(words: Sequence[Word], connection: Connection, sample: bool) -> Hits:
    """Return the names with all of the words."""
    source = _source(Reference.table(), sample=sample)
    dialect = connection.dialect.name
    alike = (or_(*patterns(source.c.name, Where.NAME, word, dialect)) for word in words)
    inner = select(source.c.claim_id, source.c.name.label("text")).where(*alike).limit(ROWS)
    found = _told(connection, Where.NAME, inner)
    return found._replace(hits=_with_all(words, found.hits))


def whole(word: Word, connection: Connection, _: bool) -> Hits:
    """Return what the word is, or a source's own id begins with; there is little of it."""
    found = list(_exactly(connection, word))
    if word.contact_id is not None:
        found += _contacts(connection, word.contact_id)
    more = False
    column = Reference.table().c.reference
    for spelling in word.references:
        begins = _begins(column, spelling)
        inner = select(Reference.table().c.claim_id, column.label("text")).where(begins)
        # In this order, an index is left as soon as there are enough.
        told = _told(connection, Where.REFERENCE, inner.order_by(column).limit(ROWS))
        found, more = found + told.hits, more or told.more
    return Hits(found, more)


def beginning(text: str, connection: Connection, _: bool) -> Hits:
    """Return a few emails that begin with a text, which an index knows."""
    identifier = Identifier.table().c
    holder = and_(_contact.id == identifier.contact_id, LIVE)
    rows = connection.execute(
        select(identifier.value, _contact.id, _primary_id)
        .join_from(Identifier.table(), Contact.table(), holder)
        .where(identifier.kind == Kind.EMAIL.value, _begins(identifier.value, text))
        .order_by(identifier.value)
        .limit(FEW)
    )
    return Hits([Hit(Where.EMAIL, *row) for row in rows], more=False)


def _exactly(connection: Connection, word: Word) -> Iterator[Hit]:
    holders = holders_of(connection, word.exactly)
    primaries = primaries_of(connection, holders)
    for value, contact_id in holders.items():
        if not _is_known(contact_id, primaries.get(value)):
            continue
        yield Hit(Where(value.kind.value), value.text, contact_id, primaries.get(value))


def _contacts(connection: Connection, contact_id: int) -> Iterator[Hit]:
    asked = select(_primary_id).where(_contact.id == contact_id, LIVE)
    primary_id = connection.scalar(asked)
    if primary_id is not None:
        yield Hit(Where.CONTACT, str(contact_id), contact_id, primary_id)
        return
    for primary_id in now(connection, contact_id) or ():
        yield Hit(Where.CONTACT, str(contact_id), None, primary_id)


def _told(connection: Connection, where: Where, chosen: Select[Any]) -> Hits:
    """Return whose the claims are that carry the names or references chosen."""
    inner = chosen.subquery("found")
    # Nearly always the claim has made a contact; which says the same, then.
    maker = and_(_contact.id == _claim.contact_id, LIVE, _claim.held_by.is_(None))
    rows = connection.execute(
        select(inner.c.text, _claim.stands, _claim.email, _claim.phone_number, _contact.id)
        .add_columns(_primary_id)
        .join_from(inner, Claim.table(), _claim.id == inner.c.claim_id)
        .outerjoin(Contact.table(), maker)
    ).all()
    hits = [Hit(where, row.text, row.id, row.primary_id) for row in rows if row.id is not None]
    left = [
        (text, tuple(Identifiers(email, phone).values()))
        for text, stands, email, phone, contact_id, _ in rows
        if stands and contact_id is None
    ]
    hits += _of_values(connection, where, left)
    return Hits(hits, len(rows) == ROWS)


def _of_values(
    connection: Connection, where: Where, told: Iterable[tuple[str, tuple[Value, ...]]]
) -> Iterator[Hit]:
    told = list(told)
    values = {value for _, said in told for value in said}
    holders, primaries = holders_of(connection, values), primaries_of(connection, values)
    for text, said in told:
        # Whom a ruling keeps apart are two, and both are called so.
        whose = {primaries[value]: holders[value] for value in said if value in primaries}
        yield from (Hit(where, text, contact_id, id_) for id_, contact_id in whose.items())
