"""The way out: all evidence of one moment, as the lines of a copy.

Claims, what they carry and what withdraws them are three streams side by side in the order of the
claims, so that memory stays flat however many there are.
"""

import hashlib
import json
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, func, select

from identity import database, rebuilding
from identity.copying.lines import VERSION, ClaimLine, ImportLine, RulingLine
from identity.models import Claim, Contact, Event, Import, Reference, Ruling, Withdrawal

CHUNK = 5_000
"""Lines that are fetched and written at a time."""

_claim, _reference, _withdrawal = (model.table().c for model in (Claim, Reference, Withdrawal))
_told = set(ClaimLine.model_fields) - {"line", "references", "withdrawn_by"}


def _columns(table: Table, names: Any) -> list[Column[Any]]:
    return [column for column in table.c if column.name in names]


def _stream(*columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).execution_options(yield_per=CHUNK)


IMPORTS = _stream(*_columns(Import.table(), ImportLine.model_fields)).order_by(Import.id)
RULINGS = _stream(*_columns(Ruling.table(), RulingLine.model_fields)).order_by(Ruling.id)
CLAIMS = _stream(*_columns(Claim.table(), _told)).order_by(_claim.id)
REFERENCES = _stream(
    *(_reference.claim_id, _reference.reference, _reference.name, _reference.import_id)
).order_by(_reference.claim_id, _reference.reference, _reference.name)
WITHDRAWALS = _stream(_withdrawal.claim_id, _withdrawal.ruling_id).order_by(
    _withdrawal.claim_id, _withdrawal.ruling_id
)
COUNTED = {"imports": Import, "rulings": Ruling, "claims": Claim, "references": Reference}
NUMBERED = {
    "contact": (Contact.id, Claim.contact_id, Claim.other_contact_id),
    # Claims and the ledger's lines are counted together.
    "place": (Claim.id, Event.id),
    "ruling": (Ruling.id,),
    "import": (Import.id, Claim.import_id, Reference.import_id),
}
"""Where the numbers are that were given, and may not be given again."""


def count() -> int:
    """Return how many lines there are to write."""
    counts = (select(func.count()).select_from(m) for m in (Import, Ruling, Claim))
    counted = select(*(each.scalar_subquery() for each in counts))
    return 2 + sum(database.read(lambda connection: connection.execute(counted).one()))


def parts() -> Iterator[bytes]:
    """Yield a copy of all evidence in parts: many lines at a time, and the last one by itself."""
    rebuilding.catch_up()
    digest, count = hashlib.sha256(), 1
    # Whoever takes it may go away: what is still being read ends before its connection does.
    with database.snapshot() as connection, closing(_lines(connection)) as lines:
        while chunk := [_spelt(line) for line in islice(lines, CHUNK)]:
            part = "".join(chunk).encode()
            digest.update(part)
            count += len(chunk)
            yield part
    yield _spelt({"line": "end", "lines": count, "sha256": digest.hexdigest()}).encode()


def _spelt(line: dict[str, Any]) -> str:
    return json.dumps(line, separators=(",", ":"), default=datetime.isoformat) + "\n"


def _lines(connection: Connection) -> Generator[dict[str, Any]]:
    yield _header(connection)
    for name, chosen in (("import", IMPORTS), ("ruling", RULINGS)):
        with connection.execute(chosen) as rows:
            for row in rows:
                yield {"line": name, **row._mapping}
    with (
        connection.execute(REFERENCES) as all_references,
        connection.execute(WITHDRAWALS) as all_withdrawals,
        connection.execute(CLAIMS) as claims,
    ):
        references, withdrawals = _Beside(all_references), _Beside(all_withdrawals)
        for row in claims:
            yield {
                "line": "claim",
                **row._mapping,
                "references": [
                    {"reference": reference, "name": name, "import_id": import_id}
                    for _, reference, name, import_id in references.of(row.id)
                ],
                "withdrawn_by": [ruling_id for _, ruling_id in withdrawals.of(row.id)],
            }


def _header(connection: Connection) -> dict[str, Any]:
    def most(columns: Any) -> int:
        return max(connection.scalar(select(func.max(column))) or 0 for column in columns)

    return {
        "identity": "copy of all evidence",
        "version": VERSION,
        "made_at": datetime.now(UTC),
        "counts": {
            name: connection.scalar(select(func.count()).select_from(model))
            for name, model in COUNTED.items()
        },
        "last": {name: max(0, most(columns)) for name, columns in NUMBERED.items()},
    }


class _Beside:
    """Rows about claims, met claim by claim."""

    def __init__(self, rows: Any) -> None:
        self._groups = groupby(rows, key=lambda row: row.claim_id)
        self._next = next(self._groups, None)

    def of(self, claim_id: int) -> list[Any]:
        """Return the rows about a claim. Claims must be asked for in their order."""
        if self._next is None or self._next[0] != claim_id:
            return []
        rows = list(self._next[1])
        self._next = next(self._groups, None)
        return rows
