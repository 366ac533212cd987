"""The part of a large customer that is nearest to some of its identifiers, read from there outward.

Each identifier that is met costs two short statements, and of one that thousands were given
together with no more is read than there is room for.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, Text, bindparam, select

from identity import evidence, rebuilding
from identity.clusters import Member
from identity.evidence import CLAIM_COLUMNS, PHONE_IS_TOLD, Telling, telling
from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim
from identity.portraying.graphs import Edge, Graph, Point

ROOM = 60
"""Identifiers that are read."""
FEW = 100
"""Tellings of one identifier that are read: several may be of one pair."""
Around = Sequence[str]
"""The names of the identifiers to begin with."""

_claim = Claim.table().c
_value = bindparam("value", type_=Text)
_together = (
    select(*CLAIM_COLUMNS)
    .where(_claim.stands, _claim.held_by.is_(None))
    .where(_claim.email.is_not(None), _claim.phone_number.is_not(None))
    .limit(FEW)
)
# In the order of an index, and a number as a range of one: else PostgreSQL, which expects to find
# such claims everywhere, may look for them by reading all that there are.
TOLD_WITH = {
    Kind.EMAIL: _together.where(_claim.email == _value).order_by(
        _claim.email, _claim.phone_number, _claim.source
    ),
    Kind.PHONE: _together.where(
        _claim.phone_number >= _value, _claim.phone_number <= _value, PHONE_IS_TOLD
    ).order_by(_claim.phone_number),
}
PAIR = _together.where(
    _claim.email == bindparam("email", type_=Text),
    _claim.phone_number == bindparam("phone_number", type_=Text),
)


def around(connection: Connection, names: Around, primary: Member) -> tuple[Graph, list[Telling]]:
    """Return the graph nearest to the identifiers of those names, and all that was told there.

    Names of nobody, and of other customers, count as not said; without one it is about the
    primary's.
    """
    points = list(_named(connection, names, primary)) or list(_points(primary))
    reached = {point.identifier: point for point in points}
    found: dict[int, Telling] = {}
    if len(points) > 1:
        ends = {point.kind.value: point.value for point in points}
        asked = {"email": ends.get("email"), "phone_number": ends.get("phone"), "ruling": None}
        found = {row.id: telling(row) for row in connection.execute(PAIR, asked)}
    ahead = deque(reached)
    while ahead and len(reached) < ROOM:
        here = ahead.popleft()
        asked = {"value": here.text, "ruling": None}
        claims = [telling(row) for row in connection.execute(TOLD_WITH[here.kind], asked)]
        new = {value for each in claims for value in each.values() if value not in reached}
        holders = evidence.holders_of(connection, new)
        for each in claims:
            for value in each.values():
                holder = holders.get(value)
                if value not in reached and holder is not None and len(reached) < ROOM:
                    reached[value] = Point(value.kind, value.text, holder)
                    ahead.append(value)
            found[each.id] = each
    return _graph(reached, sorted(found.values())), list(found.values())


def _graph(reached: dict[Value, Point], claims: Iterable[Telling]) -> Graph:
    told: dict[tuple[Point, Point], list[Telling]] = {}
    for claim in claims:
        ends = [reached[value] for value in claim.values() if value in reached]
        if len(ends) == len(claim.content):
            told.setdefault((ends[0], ends[1]), []).append(claim)
    edges = (
        Edge(*ends, tuple(e.source for e in each), min(e.dated_at for e in each), len(each))
        for ends, each in told.items()
    )
    return Graph(tuple(reached.values()), tuple(edges))


def _named(connection: Connection, names: Around, primary: Member) -> Iterator[Point]:
    kinds = {kind.value[0]: kind for kind in Kind}
    asked = [(kinds[name[0]], int(name[1:])) for name in names if name[0] in kinds]
    rows = {
        row.id: row for row in rebuilding.CONTACTS.ask(connection, ((id_,) for _, id_ in asked))
    }
    for kind, id_ in asked:
        row = rows.get(id_)
        if row is None or row.deleted_at or primary.id not in (row.id, row.linked_id):
            continue
        value = row.email if kind is Kind.EMAIL else row.phone_number
        if value is not None:
            yield Point(kind, value, id_)


def _points(member: Member) -> Iterator[Point]:
    for value in Identifiers(member.email, member.phone_number).values():
        yield Point(value.kind, value.text, member.id)
