"""The auditor: recompute every cluster from its evidence and compare it with what is stored.

Trusts nothing that reconciliation wrote about clusters: who belongs together follows from
`link` and `identifier` alone, and who is primary from the dates. Reads one snapshot, so it
may run while the service is busy. Problems name contacts by id, never by email or phone.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, select
from sqlalchemy.orm import aliased

from identity import database
from identity.models import Contact, Identifier, Kind, Link

SHOWN = 20
"""Problems worth printing; the hundredth says nothing that the first did not."""
CHUNK = 10_000


@dataclass(slots=True)
class Report:
    """What was counted, and each way in which the tables contradict each other."""

    contacts: int = 0
    clusters: int = 0
    identifiers: int = 0
    links: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = f"{len(self.problems)} problems" if self.problems else "no drift"
        return (
            f"{self.contacts} contacts in {self.clusters} clusters, "
            f"{self.identifiers} identifiers, {self.links} links: {verdict}"
        )


class Components:
    """A union-find over contact ids."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def add(self, node: int) -> None:
        """Make sure `node` is known, alone if it is new."""
        self._parent.setdefault(node, node)

    def root(self, node: int) -> int:
        """Return the node that stands for the component of `node`."""
        parent = self._parent
        while parent[node] != node:
            # Halving the path as we walk keeps a chain of a million links from being walked twice.
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, one: int, other: int) -> None:
        """Make one component of two."""
        self._parent[self.root(one)] = self.root(other)

    def groups(self) -> list[list[int]]:
        """Return the members of each component."""
        groups = defaultdict(list)
        for node in self._parent:
            groups[self.root(node)].append(node)
        return list(groups.values())


_email_holder = aliased(Identifier, name="email_holder")
_phone_holder = aliased(Identifier, name="phone_holder")


def _with_holders(table: type[Contact | Link], *columns: Any) -> Select[*tuple[Any, ...]]:
    """Select from a table with email and phone, and who first brought each of the two."""
    return (
        select(*columns, _email_holder.contact_id, _phone_holder.contact_id)
        .select_from(table)
        .outerjoin(
            _email_holder,
            and_(_email_holder.kind == Kind.EMAIL.value, _email_holder.value == table.email),
        )
        .outerjoin(
            _phone_holder,
            and_(_phone_holder.kind == Kind.PHONE.value, _phone_holder.value == table.phone_number),
        )
    )


LINKS = _with_holders(Link).execution_options(yield_per=CHUNK)
CONTACTS = _with_holders(
    Contact, Contact.id, Contact.linked_id, Contact.created_at, Contact.email, Contact.phone_number
).execution_options(yield_per=CHUNK)
UNLINKED_PAIRS = (
    select(Contact.id)
    .outerjoin(Link, and_(Link.email == Contact.email, Link.phone_number == Contact.phone_number))
    .where(Contact.email.is_not(None), Contact.phone_number.is_not(None), Link.email.is_(None))
)
STRAY_IDENTIFIERS = (
    select(Identifier.contact_id)
    .outerjoin(
        Contact,
        and_(
            Contact.id == Identifier.contact_id,
            case(
                (Identifier.kind == Kind.EMAIL.value, Contact.email),
                else_=Contact.phone_number,
            )
            == Identifier.value,
        ),
    )
    .where(Contact.id.is_(None))
)


def verify() -> Report:
    """Return a report on the whole database. Takes seconds and a few hundred MB for a million."""
    with database.snapshot() as connection:
        report = Report()
        report.identifiers = connection.scalar(select(func.count()).select_from(Identifier)) or 0
        components = Components()
        stored = dict(_stored(connection, components, report))
        _join_links(connection, components, report)
        for contact_id in connection.scalars(UNLINKED_PAIRS):
            report.problems.append(f"contact {contact_id}: its pair is missing from the links")
        for contact_id in connection.scalars(STRAY_IDENTIFIERS):
            report.problems.append(f"contact {contact_id}: holds an identifier it never brought")
    report.contacts = len(stored)
    report.clusters = sum(linked_id is None for linked_id, _ in stored.values())
    for group in components.groups():
        report.problems.extend(_contradictions(group, stored))
    return report


Stored = tuple[int | None, datetime]


def _stored(
    connection: Connection, components: Components, report: Report
) -> Iterator[tuple[int, Stored]]:
    joins = []
    for contact_id, linked_id, created_at, email, phone_number, *holders in connection.execute(
        CONTACTS
    ):
        components.add(contact_id)
        for kind, value, holder in zip(Kind, (email, phone_number), holders, strict=True):
            if value is not None and holder is None:
                report.problems.append(f"contact {contact_id}: its {kind} is no identifier")
            elif holder is not None:
                joins.append((contact_id, holder))
        yield contact_id, (linked_id, created_at)
    for contact_id, holder in joins:
        components.join(contact_id, holder)


def _join_links(connection: Connection, components: Components, report: Report) -> None:
    for email_holder, phone_holder in connection.execute(LINKS):
        report.links += 1
        if email_holder is None or phone_holder is None:
            report.problems.append(
                f"a link of contact {email_holder or phone_holder} leads nowhere"
            )
        else:
            components.join(email_holder, phone_holder)


def _contradictions(group: list[int], stored: dict[int, Stored]) -> Iterator[str]:
    oldest = min(group, key=lambda contact_id: (stored[contact_id][1], contact_id))
    for contact_id in group:
        linked_id = stored[contact_id][0]
        if linked_id is None and contact_id != oldest:
            yield f"contact {contact_id}: is a primary, but {oldest} of its cluster is older"
        elif linked_id is not None and contact_id == oldest:
            yield f"contact {contact_id}: is the oldest of its cluster, but linked to {linked_id}"
        elif linked_id is not None and linked_id != oldest:
            chained = linked_id in stored and stored[linked_id][0] is not None
            what = "which is itself linked" if chained else "with whom it shares no evidence"
            yield f"contact {contact_id}: is linked to {linked_id}, {what}, and not to {oldest}"
