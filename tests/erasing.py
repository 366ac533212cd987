"""Hashes of people who were erased, put on record without what else an erasure does."""

from datetime import UTC, datetime

from sqlalchemy import insert

from identity import database, forgetting
from identity.identifiers import Value, parse_one
from identity.models import Erasure


def remember(*typed: str) -> int:
    """Put the hashes of identifiers on record, as an erasure does; return its id."""
    with database.transaction() as connection:
        forgetting.shut_out(connection)
        now = datetime.now(UTC)
        made = insert(Erasure.table()).values(by="test", at=now, counts={}, changes=[])
        (id_,) = connection.execute(made.returning(Erasure.id)).one()
        forgetting.keep(connection, id_, values(*typed))
    return int(id_)


def values(*typed: str) -> list[Value]:
    """Return the identifiers that somebody typed."""
    return list(map(parse_one, typed))
