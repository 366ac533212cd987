"""What the sources call all customers, in the order of the customers. Nothing here writes."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, select, union

from identity.clusters import Cluster
from identity.evidence import Named
from identity.identifiers import Kind
from identity.models import Claim, Contact, Identifier, Reference

CHUNK = 5_000
"""Rows that are fetched at a time."""


def _called_by(kind: Kind, told: Any) -> Any:
    """Return the select of what carries a reference, by whose its email is, or its number."""
    return (
        select(
            func.coalesce(Contact.linked_id, Contact.id).label("primary_id"),
            *(Claim.id, Claim.email, Claim.phone_number, Claim.contact_id, Claim.source),
            *(Reference.reference, Reference.name),
        )
        .join_from(Reference, Claim, Claim.id == Reference.claim_id)
        .join(Identifier, and_(Identifier.kind == kind.value, Identifier.value == told))
        .join(Contact, Contact.id == Identifier.contact_id)
        .where(Claim.stands, Contact.deleted_at.is_(None))
    )


# A claim whose two identifiers are kept apart names both customers.
_named = union(
    _called_by(Kind.EMAIL, Claim.email), _called_by(Kind.PHONE, Claim.phone_number)
).subquery()
NAMED = (
    select(_named)
    .order_by(_named.c.primary_id, _named.c.id, _named.c.reference, _named.c.name)
    .execution_options(yield_per=CHUNK)
)


class Naming(NamedTuple):
    """What a source calls a record, and the claim that carries it."""

    primary_id: int
    claim_id: int
    email: str | None
    phone_number: str | None
    contact_id: int | None
    source: str
    reference: str
    name: str

    @property
    def named(self) -> Named:
        """What the record is called."""
        return Named(self.source, self.reference, self.name)


def of_all(connection: Connection) -> Iterator[tuple[int, Iterator[Naming]]]:
    """Yield the primary of every customer who is called something, and what.

    `connection` must show one moment.
    """
    with connection.execute(NAMED) as found:
        rows = map(Naming._make, found)
        yield from groupby(rows, key=lambda each: each.primary_id)


def by_contact(cluster: Cluster, namings: Iterable[Naming]) -> dict[int, list[Named]]:
    """Return what the sources call each contact.

    A claim is of the contact that it made, else of one that says the same, else of the first that
    has its email or its phone number.
    """
    places: dict[Any, int] = {}
    for member in cluster.members:
        for says in (member.id, (member.email, member.phone_number), member.email):
            places.setdefault(says, member.id)
        places.setdefault((member.phone_number,), member.id)
    called: dict[int, list[Named]] = {}
    for each in namings:
        ways = each.contact_id, (each.email, each.phone_number), each.email, (each.phone_number,)
        found = (places[says] for says in ways if says not in (None, (None,)) and says in places)
        called.setdefault(next(found, cluster.primary_id), []).append(each.named)
    return called
