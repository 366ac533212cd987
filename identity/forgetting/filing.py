"""Erasures in a file outside of the database, so that they hold after a backup was restored.

Ids, dates, who ordered them, and hashes; no values, and no reasons, which are free text.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, insert, select

from identity import database
from identity.errors import InvalidInput, Unavailable
from identity.forgetting import hashes, lifting, memory, shutting
from identity.forgetting.hashes import Hash
from identity.models import Erased, Erasure

NO_FILE = "This is no file that `flask identity erasures export` wrote."
AGAIN = "Taken over from a file, where it was erasure {id}."


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FiledHash(_Strict):
    """A hash."""

    kind: Literal["email", "phone"]
    version: int = Field(ge=0, lt=2**31)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class Filed(_Strict):
    """An erasure."""

    id: int
    by: str
    at: AwareDatetime
    lifted_by: str | None
    lifted_at: AwareDatetime | None
    hashes: list[FiledHash]

    def rows(self) -> set[Hash]:
        """Return the hashes as they are on record."""
        return {(each.kind, each.version, each.digest) for each in self.hashes}


class File(_Strict):
    """All erasures of a database at one moment."""

    identity: Literal["erasures"]
    made_at: AwareDatetime
    erasures: list[Filed]


def export() -> bytes:
    """Return the file of all erasures on record."""
    with database.snapshot() as connection:
        found = list(_all(connection))
    file = File(identity="erasures", made_at=datetime.now(UTC), erasures=found)
    return json.dumps(file.model_dump(mode="json"), indent=1).encode() + b"\n"


def _all(connection: Connection) -> Iterator[Filed]:
    kept: dict[int, list[FiledHash]] = defaultdict(list)
    order = Erased.kind, Erased.version, Erased.digest
    for id_, kind, version, digest in connection.execute(
        select(Erased.erasure_id, *order).order_by(*order)
    ):
        each = {"kind": kind, "version": version, "digest": digest}
        kept[id_].append(FiledHash.model_validate(each))
    for id_, by, at, lifted_by, lifted_at in connection.execute(_about).all():
        told = kept[id_]
        yield Filed(id=id_, by=by, at=at, lifted_by=lifted_by, lifted_at=lifted_at, hashes=told)


_about = select(
    *(Erasure.id, Erasure.by, Erasure.at, Erasure.lifted_by, Erasure.lifted_at)
).order_by(Erasure.id)


def read(content: bytes) -> File:
    """Return what a file says; raise `InvalidInput` when it is none of ours."""
    try:
        return File.model_validate_json(content)
    except ValidationError:
        raise InvalidInput(NO_FILE) from None


def take_over(file: File) -> int:
    """Put on record what a file says and is not; return how many erasures that concerned.

    Raise `Unavailable` when a key is missing that its hashes were made with.
    """
    versions = {each.version for filed in file.erasures for each in filed.hashes}
    known = memory.here().keys
    known.reload()
    if missing := versions - known.versions():
        raise Unavailable(memory.missing(missing))

    def write() -> int:
        with database.transaction() as connection:
            shutting.shut_out(connection)
            return sum(_take_over(connection, filed) for filed in file.erasures)

    return database.retrying(write)


def _take_over(connection: Connection, filed: Filed) -> bool:
    """Tell whether there was anything to take over from an erasure."""
    same = select(Erasure.id, Erasure.lifted_at).where(
        Erasure.by == filed.by, Erasure.at == filed.at
    )
    row = connection.execute(same).first()
    if row is None:
        if not filed.hashes:
            return False
        made = {"by": filed.by, "at": filed.at, "reason": AGAIN.format(id=filed.id)}
        new = insert(Erasure.table()).values(**made, counts={}, changes=[])
        erasure_id = connection.execute(new.returning(Erasure.id)).scalar_one()
        hashes.keep_hashes(connection, erasure_id, filed.rows())
        return True
    here = select(Erased.kind, Erased.version, Erased.digest).where(Erased.erasure_id == row.id)
    found: set[Hash] = {
        (kind, version, digest) for kind, version, digest in connection.execute(here)
    }
    lifted = found - filed.rows()
    if filed.lifted_at is None or not lifted:
        return False
    if row.lifted_at is not None and row.lifted_at >= filed.lifted_at:
        return False
    # The backup is older than that somebody came back.
    hashes.drop(connection, lifted)
    lifting.note(connection, row.id, filed.lifted_by or filed.by, None, filed.lifted_at)
    return True
