"""How much there is of a customer, and the value that most of its contacts have."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from identity.clusters import Cluster, of_members
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Contact, Id


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is of a customer."""

    contacts: int
    emails: int
    phone_numbers: int
    shared: tuple[Value, int] | None
    """The value that most contacts have, and how many; None where no two have one."""


def of(cluster: Cluster) -> Sizes:
    """Return how much there is of a customer that is read whole."""
    said = Counter(
        value
        for member in cluster.members
        for value in Identifiers(member.email, member.phone_number).values()
    )
    most = said.most_common(1)
    return Sizes(
        len(cluster.members),
        len(cluster.emails),
        len(cluster.phone_numbers),
        most[0] if most and most[0][1] > 1 else None,
    )


_contact = Contact.table().c
_primary_id = bindparam("primary_id", type_=Id)


def _most(column: ColumnElement[Any]) -> Select[Any]:
    said = of_members(column, _primary_id).subquery("said").c[0]
    # How many values there are is counted before all but the first are left out.
    return (
        select(said, func.count().label("many"), func.count().over().label("different"))
        .where(said.is_not(None))
        .group_by(said)
        .order_by(func.count().desc(), said)
        .limit(1)
    )


MOST = {Kind.EMAIL: _most(_contact.email), Kind.PHONE: _most(_contact.phone_number)}
"""The value that most contacts have, how many have it, and how many values there are."""


def counted(connection: Connection, primary_id: int, contacts: int) -> Sizes:
    """Return how much there is of a customer of so many contacts, without reading them."""
    values, most = dict.fromkeys(Kind, 0), []
    for kind, question in MOST.items():
        row = connection.execute(question, {"primary_id": primary_id}).one_or_none()
        if row:
            values[kind] = row[2]
            most.append((Value(kind, row[0]), row[1]))
    shared = max(most, key=lambda each: each[1], default=None)
    if shared and shared[1] == 1:
        shared = None
    return Sizes(contacts, values[Kind.EMAIL], values[Kind.PHONE], shared)
