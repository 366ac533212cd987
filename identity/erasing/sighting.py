"""Everything on record that may be an identifier, wherever it stands: to see who was erased.

For a database that was restored from a backup. What is normalised is taken as it is; what people
and files wrote is read for emails and phone numbers.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, select, union

from identity import forgetting
from identity.erasing import files
from identity.errors import IdentityError
from identity.identifiers import Kind, Value, is_of_email
from identity.models import (
    Claim,
    Erasure,
    Event,
    Finding,
    Identifier,
    Import,
    KeptApart,
    Reference,
    Ruling,
)

AT_ONCE = 10_000
"""Rows that are fetched at a time."""
CELLS = re.compile(r"[\t;,|\n]")
"""What stands between the cells of a file, of which each is read by itself."""
_apart = KeptApart.table().c
_normalised = {
    Kind.EMAIL: union(
        select(Claim.email.label("value")).where(Claim.email.is_not(None)),
        select(Event.email).where(Event.email.is_not(None)),
        select(Identifier.value).where(Identifier.kind == "email"),
        select(_apart.value).where(_apart.kind == "email"),
    ),
    Kind.PHONE: union(
        select(Claim.phone_number.label("value")).where(Claim.phone_number.is_not(None)),
        select(Event.phone_number).where(Event.phone_number.is_not(None)),
        select(Identifier.value).where(Identifier.kind == "phone"),
        select(_apart.value).where(_apart.kind == "phone"),
    ),
}
_written: list[Any] = [
    select(Reference.reference, Reference.name),
    select(Ruling.what, Ruling.reason, Ruling.withdrawn_reason, Ruling.plan),
    select(Erasure.reason, Erasure.lifted_reason),
    select(Finding.subject, Finding.detail),
    select(Import.file_name, Import.choices, Import.reading, Import.plan),
    select(Event.detail).where(Event.detail.is_not(None)),
]
_kept = select(Import.id, Import.choices).where(
    Import.content.is_not(None) | Import.rejects.is_not(None)
)
_files = select(Import.content, Import.rejects)


def all_told(connection: Connection) -> Iterator[Value]:
    """Yield all that may be an identifier. Much of it more than once."""
    for kind, chosen in _normalised.items():
        with connection.execute(chosen.execution_options(yield_per=AT_ONCE)) as rows:
            yield from (Value(kind, text) for (text,) in rows)
    for written in _written:
        with connection.execute(written.execution_options(yield_per=AT_ONCE)) as rows:
            for row in rows:
                yield from _read(files.texts(list(row)))
    for import_id, choices in connection.execute(_kept).all():
        region = (choices or {}).get("region") or None
        for kept in connection.execute(_files.where(Import.id == import_id)).one():
            yield from _read(_cells(kept or b""), region)


def _cells(kept: bytes) -> Iterator[str]:
    # What nobody can read, nobody can import either.
    with suppress(IdentityError):
        for line in files.lines(kept):
            yield from CELLS.split(line)


def _read(texts: Iterable[str], region: str | None = None) -> Iterator[Value]:
    """Yield what looks like an identifier, with a country of the file's own too."""
    for text in texts:
        if is_of_email(text) or any(map(str.isdigit, text)):
            yield from forgetting.told_in([text])
            if region is not None:
                yield from forgetting.mentioned(text, region)
