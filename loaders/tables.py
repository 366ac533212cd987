"""The rows of the tables, as COPY takes them, and the way into an empty database."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, text

from identity import database, forgetting
from identity.copying.loading import GO_ON
from identity.deciding import NEW
from identity.errors import Conflict, InvalidInput
from identity.evidence import Telling
from identity.models import Claim, Contact, Precedence
from loaders.following import MERGING, Brought, Followed, Told
from loaders.numbering import Key

COLUMNS = {
    "contact": (
        *("id", "email", "phone_number", "linked_id", "link_precedence"),
        *("created_at", "updated_at"),
    ),
    "identifier": ("kind", "value", "contact_id"),
    "claim": (
        *("id", "email", "phone_number", "source", "told_at", "dated_at", "import_id"),
        *("contact_id", "brought", "other_contact_id", "held_by", "stands"),
    ),
    "reference": ("claim_id", "reference", "name", "import_id"),
    "withdrawal": ("ruling_id", "claim_id"),
    "event": (
        *("id", "occurred_at", "kind", "source", "primary_id", "contact_id"),
        *("email", "phone_number", "detail", "in_claims"),
    ),
}
"""Of each table the columns that are loaded, in the order in which tables may refer to others."""
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
ERASED = (
    "People were erased here, and this does not leave them out. Nothing was loaded: bring the "
    "files with flask identity import."
)
NEITHER_IS = "The database is not empty: it has {has}. Nothing was loaded."


class Row(NamedTuple):
    """A row of a table."""

    table: str
    order: int
    """Rows of a table are loaded in this order: what is read together then lies together."""
    line: str
    """As COPY takes it."""


def _row(table: str, order: int, *values: Any) -> Row:
    return Row(table, order, "\t".join(map(_spelt, values)))


def _spelt(value: Any) -> str:
    match value:
        case None:
            return r"\N"
        case str():
            # Most of what is written are texts, and of a kind that is its own spelling.
            return value.translate(_ESCAPED)
        case bool():
            return "t" if value else "f"
        case datetime():
            return value.isoformat()
    return str(value)


class Rows:
    """The rows of what followed from a pool, once everything in it has its number."""

    def __init__(self, followed: Followed, numbers: Mapping[Key, int], now: datetime) -> None:
        self._followed = followed
        self._numbers = numbers
        self._now = now
        self._contacts = {n: numbers[key] for n, key in followed.contact_keys.items()}
        self._claims = {n: numbers[key] for n, key in followed.claim_keys.items()}

    def all(self, imports: Mapping[int, Brought]) -> Iterator[Row]:
        """Yield them, table by table."""
        yield from self._of_contacts()
        for claim in self._followed.claims:
            yield self._of_claim(claim)
        for number, reference, name, import_id in self._followed.references:
            id_ = self._claim(number)
            yield _row("reference", id_, id_, reference, name, import_id)
        for told in self._followed.lines:
            yield self._of_line(told, imports[told.file])

    def _of_contacts(self) -> Iterator[Row]:
        for number, contact in self._followed.rebuilt.contacts.items():
            id_, linked_id = self._id(number), self._id(contact.primary)
            is_primary = id_ == linked_id
            yield _row(
                *("contact", id_),
                *(id_, contact.email, contact.phone_number, None if is_primary else linked_id),
                Precedence.PRIMARY if is_primary else Precedence.SECONDARY,
                *(contact.created_at, self._now),
            )
        for value, holder in self._followed.rebuilt.holders.items():
            # What links nobody is in the table since that was ruled.
            if holder is not None:
                id_ = self._id(holder)
                yield _row("identifier", id_, value.kind, value.text, id_)

    def _of_claim(self, claim: Telling) -> Row:
        memory, held_by = self._followed.rebuilt.claims[claim.id]
        return claim_row(
            claim._replace(
                id=self._claim(claim.id),
                memory=memory._replace(
                    contact=self._id(memory.contact), other=self._id(memory.other)
                ),
                held_by=held_by,
            )
        )

    def _of_line(self, told: Told, brought: Brought) -> Row:
        line, id_ = told.line, self._numbers[told.key]
        contact = self._id(line.contact)
        detail = None
        if line.kind in MERGING:
            moved = sorted(self._id(each) for each in told.moved if each != line.primary)
            risen = {"risen": self._id(line.primary)} if line.primary in told.moved else {}
            detail = json.dumps({"absorbed": contact, "moved": moved} | risen)
        return _row(
            *("event", id_),
            *(id_, brought.now, line.kind, f"import:{brought.id}", self._id(line.primary)),
            *(contact, line.email, line.phone_number, detail, True),
        )

    def _id(self, number: int | None) -> Any:
        return number if number is None or number < NEW else self._contacts[number]

    def _claim(self, number: int) -> int:
        return number if number < NEW else self._claims[number]


def claim_row(claim: Telling) -> Row:
    """Return the row of a claim."""
    return _row(
        *("claim", claim.id),
        *(claim.id, claim.email, claim.phone_number, claim.source, claim.told_at),
        *(claim.dated_at, claim.import_id, claim.memory.contact, claim.memory.brought),
        *(claim.memory.other, claim.held_by, claim.stands),
    )


def reference_row(claim_id: int, reference: str, name: str, import_id: int | None) -> Row:
    """Return the row of a reference."""
    return _row("reference", claim_id, claim_id, reference, name, import_id)


def withdrawal_row(ruling_id: int, claim_id: int) -> Row:
    """Return the row of a withdrawal."""
    return _row("withdrawal", claim_id, ruling_id, claim_id)


def check_empty() -> None:
    """Raise `Conflict` when there are customers already, `InvalidInput` where COPY is not."""
    database.read(_check_empty)


def _check_empty(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        raise InvalidInput("This loads into PostgreSQL: set DATABASE_URL to one that is empty.")
    models = {"contacts": Contact, "claims": Claim}
    counts = (select(func.count()).select_from(each).scalar_subquery() for each in models.values())
    found = zip(models, connection.execute(select(*counts)).one(), strict=True)
    if has := " and ".join(f"{count:,} {name}" for name, count in found if count):
        raise Conflict(NEITHER_IS.format(has=has))
    if forgetting.recognizer(connection)[1] is not None:
        raise Conflict(ERASED)


def last(connection: Connection, table: str) -> int:
    """Return the last number that a table's sequence gave."""
    name = connection.scalar(SEQUENCE, {"table": table})
    number, is_called = connection.execute(text(f"SELECT last_value, is_called FROM {name}")).one()  # noqa: S608
    return int(number) if is_called else 0


SEQUENCE = text("SELECT pg_get_serial_sequence(:table, 'id')")


@database.unhurried()
def load(folder: Path, lasts: Mapping[str, int]) -> None:
    """Load the files of each table, which are in a folder of its name, in one transaction.

    `lasts` are the last numbers of the tables that count. Raise as `check_empty` does.
    """

    def write() -> None:
        with database.transaction() as connection:
            connection.execute(text("LOCK TABLE contact, claim IN SHARE ROW EXCLUSIVE MODE"))
            _check_empty(connection)
            for table in COLUMNS:
                _copy(connection, table, sorted((folder / f"table={table}").glob("part-*")))
            for table, number in lasts.items():
                connection.execute(GO_ON, {"table": table, "number": number})

    database.retrying(write)


def _copy(connection: Connection, table: str, files: Iterable[Path]) -> None:
    driver: Any = connection.connection.driver_connection
    into = f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN"
    # One statement: contacts refer to each other, and that is looked at when it ends.
    with driver.cursor().copy(into) as copy:
        for path in files:
            with path.open("rb") as file:
                while part := file.read(1 << 20):
                    copy.write(part)
