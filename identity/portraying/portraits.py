"""A customer as a page shows it: facts, evidence and contacts, without reading all of a large one.

Up to `WHOLE` contacts everything that was told of a customer is read. Of a larger one there are
the counts, one page of contacts, and the part of its links that is nearest to an identifier.
Each statement here is bounded, or counts; none relies on what the database knows of its tables,
which right after an import is nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, FromClause, select

from identity import clusters, evidence
from identity.bulk import Question, Selected
from identity.clusters import Cluster, Member
from identity.evidence import CLAIM_COLUMNS, Named, Telling, telling
from identity.identifiers import Kind
from identity.models import Claim
from identity.portraying import membership, sizing, surroundings
from identity.portraying.graphs import Graph
from identity.portraying.sizing import Sizes
from identity.portraying.surroundings import Around

WHOLE = 2_500
"""Contacts up to which all is read. With more, nobody looks through them on a page."""


class Carried(NamedTuple):
    """What a source calls a record, and the claim that carries it."""

    claim_id: int
    named: Named
    import_id: int | None


@dataclass(frozen=True, slots=True)
class Portrait:
    """A customer, whole or in part."""

    primary: Member
    sizes: Sizes
    cluster: Cluster
    """All contacts, or those of one page, with their emails and phone numbers."""
    tellings: tuple[Telling, ...]
    """What was told of these, in order; of a larger customer what is nearest to an identifier."""
    contact_claims: dict[int, Telling]
    """The claim that made each contact."""
    carried: tuple[Carried, ...]
    """What the sources call it, in the order in which they said so."""
    graph: Graph
    is_whole: bool
    after: int | None = None
    """The contact after which the next page begins."""

    @property
    def left_out(self) -> int:
        """How many identifiers are not in the graph."""
        return self.sizes.emails + self.sizes.phone_numbers - len(self.graph.points)


def portrait(
    connection: Connection,
    primary: Member,
    contacts: int,
    around: Around,
    *,
    after: int | None = None,
    marked: int | None = None,
) -> Portrait | None:
    """Return a customer of so many contacts; None when it is gone by now.

    Of a large one, the page of contacts after one, that which is `marked`, and what is `around`
    some identifiers.
    """
    if contacts <= WHOLE:
        cluster = clusters.with_contact(connection, primary.id)
        return _whole(connection, cluster) if cluster else None
    return _part(connection, primary, contacts, around, after, marked)


def _whole(connection: Connection, cluster: Cluster) -> Portrait:
    found: dict[int, Telling] = {}
    for kind, texts in ((Kind.EMAIL, cluster.emails), (Kind.PHONE, cluster.phone_numbers)):
        rows = evidence.CLAIMS[kind].ask(connection, ((each,) for each in texts), ruling=None)
        found.update((row.id, telling(row)) for row in rows)
    tellings = tuple(sorted(found.values()))
    links = sorted((each for each in tellings if None not in each.content), key=_dated)
    return Portrait(
        cluster.primary,
        sizing.of(cluster),
        cluster,
        tellings,
        _makers(tellings),
        _carried(connection, found),
        Graph.of(cluster, ((*e.content, e.source, e.dated_at, e.held_by) for e in links)),
        is_whole=True,
    )


def _dated(claim: Telling) -> tuple[datetime, int]:
    return claim.dated_at, claim.id


def _makers(tellings: Iterable[Telling]) -> dict[int, Telling]:
    made: dict[int, Telling] = {}
    for claim in tellings:
        for contact_id in (claim.memory.contact, claim.memory.other):
            if contact_id is not None:
                made.setdefault(contact_id, claim)
    return made


def _carried(connection: Connection, tellings: dict[int, Telling]) -> tuple[Carried, ...]:
    rows = evidence.REFERENCES.ask(connection, ((id_,) for id_ in tellings))
    return tuple(
        Carried(claim_id, Named(tellings[claim_id].source, reference, name), import_id)
        for claim_id, reference, name, import_id in sorted(rows, key=lambda row: row[:3])
    )


def _made(asked: FromClause) -> Selected:
    claim = Claim.table()
    return (
        select(*CLAIM_COLUMNS)
        .select_from(asked)
        .join(claim, claim.c.contact_id == asked.c.id)
        .where(claim.c.stands)
    )


MADE = Question(_made, id=BigInteger)


def _part(
    connection: Connection,
    primary: Member,
    contacts: int,
    around: Around,
    after: int | None,
    marked: int | None,
) -> Portrait:
    members = membership.page(connection, primary, after)
    more = len(members) > membership.LISTED
    members = members[: membership.LISTED]
    cluster = Cluster.of(membership.with_marked(connection, primary, members, marked))
    rows = MADE.ask(connection, ((each.id,) for each in cluster.members), ruling=None)
    made = {row.id: telling(row) for row in rows}
    graph, nearest = surroundings.around(connection, around, primary)
    return Portrait(
        primary,
        sizing.counted(connection, primary.id, contacts),
        cluster,
        tuple(sorted(nearest)),
        _makers(sorted(made.values())),
        _carried(connection, made),
        graph,
        is_whole=False,
        after=members[-1].id if more else None,
    )
