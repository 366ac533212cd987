"""Everything that some customers have, and what they are called. Nothing here writes.

Each question joins what is asked with one table: with more of them, PostgreSQL would begin at the
wrong end after a large import.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, FromClause, Text, select

from identity.bulk import Question, Selected
from identity.evidence import PHONE_IS_TOLD, REFERENCES
from identity.models import Claim, Contact
from identity.searching.places import LIVE, Hit
from identity.searching.words import Where, Word

MOST = 5_000
"""Contacts that are read, at most."""
LARGE = 100
"""Contacts above which it takes too long to ask what each of many customers is called."""
_contact = Contact.table().c
_claim = Claim.table().c


class Member(NamedTuple):
    """A contact, and the primary of its customer."""

    primary_id: int
    contact_id: int
    email: str | None
    phone_number: str | None


def _of_customer(own: Any) -> Question:
    def build(asked: FromClause) -> Selected:
        columns = asked.c.id, _contact.id, _contact.email, _contact.phone_number
        joined = asked.join(Contact.table(), own == asked.c.id)
        return select(*columns).select_from(joined).where(LIVE)

    return Question(build, id=BigInteger)


def _claims_with(column: Any) -> Question:
    def build(asked: FromClause) -> Selected:
        joined = asked.join(Claim.table(), column == asked.c.value)
        chosen = select(asked.c.value, _claim.id).select_from(joined).where(_claim.stands)
        if column is _claim.email:
            return chosen
        # A number may be thousands of people's, and those with an email are found by that.
        return chosen.where(PHONE_IS_TOLD, _claim.email.is_(None))

    return Question(build, value=Text)


MEMBERS = [_of_customer(own) for own in (_contact.id, _contact.linked_id)]
BY_EMAIL, BY_PHONE = _claims_with(_claim.email), _claims_with(_claim.phone_number)


def having(
    connection: Connection, primary_ids: Collection[int], words: Sequence[Word]
) -> Iterator[Hit]:
    """Yield what those customers have of the words."""
    found = members(connection, primary_ids)
    hits = list(_said(found))
    if any(word.in_names or word.references for word in words):
        hits += called(connection, found)
    yield from (hit for hit in hits if any(word.spans(*hit[:2]) for word in words))


def members(connection: Connection, primary_ids: Collection[int]) -> list[Member]:
    """Return the contacts of some customers, the primaries first."""
    asked = [(primary_id,) for primary_id in primary_ids]
    rows = (row for question in MEMBERS for row in question.ask(connection, asked))
    return [Member(*row) for row in islice(rows, MOST)]


def names(connection: Connection, primary_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the names that the sources have for each of those customers."""
    found: dict[int, dict[str, None]] = {}
    for where, name, _, primary_id in called(connection, members(connection, primary_ids)):
        if where is Where.NAME and primary_id:
            found.setdefault(primary_id, {})[name] = None
    return {primary_id: list(each) for primary_id, each in found.items()}


def _said(found: Sequence[Member]) -> Iterator[Hit]:
    for primary_id, contact_id, email, phone_number in found:
        yield Hit(Where.CONTACT, str(contact_id), contact_id, primary_id)
        if email is not None:
            yield Hit(Where.EMAIL, email, contact_id, primary_id)
        if phone_number is not None:
            yield Hit(Where.PHONE, phone_number, contact_id, primary_id)


def called(connection: Connection, found: Sequence[Member]) -> Iterator[Hit]:
    """Yield the names and references of those contacts."""
    emails = {member.email: member for member in reversed(found) if member.email}
    numbers = {member.phone_number: member for member in reversed(found) if member.phone_number}
    told: dict[int, Member] = {}
    for question, said in ((BY_EMAIL, emails), (BY_PHONE, numbers)):
        for value, claim_id in question.ask(connection, ((value,) for value in said if value)):
            told.setdefault(claim_id, said[value])
    for claim_id, reference, name, _ in REFERENCES.ask(connection, ((id_,) for id_ in told)):
        primary_id, contact_id, *_ = told[claim_id]
        for where, text in ((Where.NAME, name), (Where.REFERENCE, reference)):
            if text:
                yield Hit(where, text, contact_id, primary_id)
