"""The lines of a copy, as rows of the tables that hold evidence and rulings."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, insert, text

from identity.bulk import Load
from identity.copying.lines import ClaimLine, ImportLine, Last, RulingLine
from identity.models import Claim, Import, Ruling
from identity.rulings import kinds
from identity.rulings.applying import KEPT_APART, WITHDRAWALS
from identity.rulings.kinds import Apart, LinksNobody
from identity.writing import loads

CLAIMS = Load(
    Claim.table(),
    *("id", "email", "phone_number", "source", "told_at", "dated_at", "import_id"),
    *("contact_id", "brought", "other_contact_id", "held_by", "stands"),
)


def _load_imports(connection: Connection, lines: Iterable[ImportLine]) -> None:
    connection.execute(insert(Import.table()), _rows(lines))


def _load_rulings(connection: Connection, lines: list[RulingLine]) -> None:
    connection.execute(insert(Ruling.table()), _rows(lines))
    for each in lines:
        what = kinds.from_record(each.what)
        if each.withdrawn_at is None and isinstance(what, Apart):
            one, other = ((value.kind.value, value.text) for value in (what.one, what.other))
            KEPT_APART.insert(connection, [(*one, *other, each.id), (*other, *one, each.id)])
        elif each.withdrawn_at is None and isinstance(what, LinksNobody):
            nobody = [(what.value.kind.value, what.value.text, None)]
            loads.HELD_IDENTIFIERS.insert(connection, nobody)


def _rows(lines: Iterable[ImportLine | RulingLine]) -> list[dict[str, Any]]:
    return [each.model_dump(exclude={"line"}) for each in lines]


def _load_claims(connection: Connection, lines: list[ClaimLine]) -> None:
    CLAIMS.insert(
        connection,
        (
            (
                *(each.id, each.email, each.phone_number, each.source, each.told_at),
                *(each.dated_at, each.import_id, each.contact_id, each.brought),
                *(each.other_contact_id, each.held_by, each.stands),
            )
            for each in lines
        ),
    )
    carried = ((claim.id, each) for claim in lines for each in claim.references)
    loads.REFERENCES.insert(
        connection, ((id_, each.reference, each.name, each.import_id) for id_, each in carried)
    )
    WITHDRAWALS.insert(
        connection, ((ruling_id, claim.id) for claim in lines for ruling_id in claim.withdrawn_by)
    )


TAKING: dict[str, Callable[[Connection, Any], None]] = {
    "import": _load_imports,
    "ruling": _load_rulings,
    "claim": _load_claims,
}


def count_on(connection: Connection, last: Last) -> None:
    """Let every number that is given from now on be above all that were ever given."""
    for table, number in (
        ("contact", last.contact),
        ("event", last.place),
        ("ruling", last.ruling),
        ("import", last.import_),
    ):
        if connection.dialect.name == "postgresql":
            connection.execute(GO_ON, {"table": table, "number": number})
        else:
            connection.execute(loads.BEGIN_COUNT, {"table": table})
            connection.execute(GO_ON_SQLITE, {"table": table, "number": number})


GO_ON = text(
    "SELECT setval(sequence, greatest(:number, nextval(sequence)))"
    " FROM (SELECT pg_get_serial_sequence(:table, 'id')::regclass AS sequence) AS counted"
)
GO_ON_SQLITE = text("UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = :table")
