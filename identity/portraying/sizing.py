"""How much there is of a customer, and the value that most of its contacts have."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from identity.clusters import Cluster, of_members
from identity.identifiers import Kind, Value
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
    said = {
        Kind.EMAIL: Counter(member.email for member in cluster.members if member.email),
        Kind.PHONE: Counter(m.phone_number for m in cluster.members if m.phone_number),
    }
    most = [
        (Value(kind, text), many)
        for kind, counter in said.items()
        for text, many in counter.most_common(1)
    ]
    return Sizes(
        len(cluster.members),
        len(cluster.emails),
        len(cluster.phone_numbers),
        _shared(most),
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
    return Sizes(contacts, values[Kind.EMAIL], values[Kind.PHONE], _shared(most))


def _shared(most: list[tuple[Value, int]]) -> tuple[Value, int] | None:
    shared = max(most, key=lambda each: each[1], default=None)
    return shared if shared and shared[1] > 1 else None
