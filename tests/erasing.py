"""Hashes of people who were erased, put on record without what else an erasure does."""

from datetime import UTC, datetime

from sqlalchemy import delete, insert

from identity import database, forgetting
from identity.database import db
from identity.identifiers import Value, parse_one
from identity.models import Erased, Erasure, Forgotten
from tests.tables import empty


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


def nobody_erased() -> None:
    """Take everything out of the tables."""
    with db.engine.begin() as connection:
        for table in (Forgotten, Erased, Erasure):
            connection.execute(delete(table))
    empty()
    forgetting.here().forget()


def all_texts() -> str:
    """Everything that stands in any table."""
    told = []
    with database.reading() as connection:
        for table in db.metadata.sorted_tables:
            told += [str(tuple(row)) for row in connection.execute(table.select())]
    return "\n".join(told)
