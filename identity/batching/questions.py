"""What is asked about a batch: whose its values are, who has said the same, what is kept apart."""

from sqlalchemy import FromClause, Text, and_, func, select
from sqlalchemy.orm import aliased

from identity.bulk import Question, Selected
from identity.identifiers import Kind
from identity.models import Claim, Contact, Identifier, KeptApart

_holder = aliased(Contact, name="holder")
_primary = aliased(Contact, name="primary")


def _holders_of(kind: Kind) -> Question:
    def build(asked: FromClause) -> Selected:
        holds = and_(_holder.id == Identifier.contact_id, _holder.deleted_at.is_(None))
        # Always the kind, in words that need the value first: else SQLite would begin with all
        # identifiers of that kind.
        named = func.coalesce(kind.value, asked.c.value)
        # Whoever is linked to nobody is the primary, and is not looked for a second time.
        leads = and_(
            _primary.id == _holder.linked_id,
            _primary.linked_id.is_(None),
            _primary.deleted_at.is_(None),
        )
        return (
            select(
                *(Identifier.value, Identifier.contact_id, _holder.linked_id, _holder.email),
                *(_holder.phone_number, _holder.created_at, _primary.created_at),
            )
            .select_from(asked)
            .join(
                Identifier,
                and_(Identifier.kind == named, Identifier.value == asked.c.value),
            )
            .outerjoin(_holder, holds)
            .outerjoin(_primary, leads)
        )

    return Question(build, value=Text)


def _primaries_of(kind: Kind) -> Question:
    def build(asked: FromClause) -> Selected:
        holds = and_(_holder.id == Identifier.contact_id, _holder.deleted_at.is_(None))
        # As above.
        named = func.coalesce(kind.value, asked.c.value)
        key = and_(Identifier.kind == named, Identifier.value == asked.c.value)
        return (
            select(
                *(Identifier.value, Identifier.contact_id),
                func.coalesce(_holder.linked_id, _holder.id),
            )
            .select_from(asked)
            .join(Identifier, key)
            .outerjoin(_holder, holds)
        )

    return Question(build, value=Text)


HOLDERS = {kind: _holders_of(kind) for kind in Kind}
"""Whose values are: the contact, its primary if it is another, what it says, when it was created,
and when that primary was."""
PRIMARIES = {kind: _primaries_of(kind) for kind in Kind}
"""Whose values are, and no more than that."""


def _claims(*columns: str) -> Question:
    """Return the question after the claims that say exactly these columns."""

    def build(asked: FromClause) -> Selected:
        exactly = [
            getattr(Claim, name) == asked.c[name]
            if name in columns
            else getattr(Claim, name).is_(None)
            for name in ("email", "phone_number")
        ]
        return (
            select(
                *(Claim.id, Claim.email, Claim.phone_number),
                *(Claim.source, Claim.dated_at, Claim.held_by),
            )
            .select_from(asked)
            .join(Claim, and_(*exactly))
            .where(Claim.stands)
        )

    return Question(build, **dict.fromkeys(columns, Text))


PAIRS = _claims("email", "phone_number")
ALONE = {Kind.EMAIL: _claims("email"), Kind.PHONE: _claims("phone_number")}

_apart_holder = aliased(Contact, name="apart_holder")
APART = (
    select(
        *(KeptApart.kind, KeptApart.value, KeptApart.other_kind, KeptApart.other_value),
        *(KeptApart.ruling_id, func.coalesce(_apart_holder.linked_id, _apart_holder.id)),
    )
    .outerjoin(
        Identifier,
        and_(Identifier.kind == KeptApart.kind, Identifier.value == KeptApart.value),
    )
    .outerjoin(_apart_holder, _apart_holder.id == Identifier.contact_id)
)
"""All that is kept apart, and whose it is."""
