"""Large merges: many contacts that became somebody else's at once."""

from collections.abc import Collection, Iterator

from sqlalchemy import BigInteger, Connection, FromClause, func, select

from identity.bulk import Question, Selected
from identity.models import Event, EventKind
from identity.reviewing import findings
from identity.reviewing.customers import primaries_of_contacts
from identity.reviewing.findings import Found, Kind

LARGE = 10
"""Contacts that moved, from which a merge is large: one customer in a thousand has as many."""

_event = Event.table().c


def _merges(asked: FromClause) -> Selected:
    moved = func.json_array_length(_event.detail["moved"])
    return (
        select(
            *(_event.id, _event.occurred_at, _event.source, _event.primary_id, _event.contact_id),
            *(_event.email, _event.phone_number, moved.label("moved")),
        )
        .select_from(asked)
        .join(Event.table(), _event.id == asked.c.id)
        .where(_event.kind == EventKind.CLUSTERS_MERGED.value)
    )


MERGES = Question(_merges, id=BigInteger)


def look(connection: Connection, lines: Collection[int]) -> Iterator[Found]:
    """Yield the large ones of the merges that some lines of the ledger tell of."""
    rows = MERGES.ask(connection, ((id_,) for id_ in lines))
    large = [row for row in rows if row.moved >= LARGE]
    ends = {id_ for row in large for id_ in (row.primary_id, row.contact_id)}
    primaries = primaries_of_contacts(connection, ends)
    for row in large:
        customer = primaries.get(row.primary_id)
        # Taken apart since, or one of the two has ceased.
        is_one = customer is not None and customer == primaries.get(row.contact_id)
        detail = {
            "customer": customer,
            "absorbed": row.contact_id,
            "email": row.email,
            "phone": row.phone_number,
            "source": row.source,
            "at": row.occurred_at.isoformat(),
        }
        yield Found(Kind.LARGE_MERGE, str(row.id), row.moved if is_one else 0, detail)


def check(connection: Connection, subjects: Collection[str]) -> Iterator[Found]:
    """Yield what some findings are about as it is now."""
    found = list(look(connection, [int(each) for each in subjects]))
    yield from found
    # Where somebody said that a merge is fine, its line may be kept no longer.
    gone = set(subjects) - {each.subject for each in found}
    yield from findings.ended(connection, Kind.LARGE_MERGE, gone)
