"""What is kept of identifiers that were erased: their hashes, and how often somebody tried."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Text,
    and_,
    bindparam,
    select,
    update,
)
from sqlalchemy import delete as deletion
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

from identity import database
from identity.bulk import Change, Question, Selected
from identity.database import UtcDateTime
from identity.errors import Unavailable
from identity.forgetting import memory
from identity.forgetting.keys import Keys
from identity.identifiers import Value
from identity.keyed import Taking
from identity.models import Erased

_erased = Erased.table().c
KEYED: dict[str, type[TypeEngine[Any]]] = {"kind": Text, "version": BigInteger, "digest": Text}
Hash = tuple[str, int, str]
"""The kind of an identifier, the version of the key, and the hash in hexadecimal."""


def _is_it(asked: FromClause) -> Any:
    return and_(*(_erased[name] == asked.c[name] for name in KEYED))


def _on_record(asked: FromClause) -> Selected:
    found = select(_erased.kind, _erased.version, _erased.digest, _erased.erasure_id)
    return found.select_from(asked).join(Erased.table(), _is_it(asked))


def _tried(asked: FromClause) -> UpdateBase:
    tries = _erased.tries + asked.c.times
    now = bindparam("now", type_=UtcDateTime)
    return update(Erased.table()).where(_is_it(asked)).values(tries=tries, last_tried_at=now)


ON_RECORD = Question(_on_record, **KEYED)
TRIED = Change(_tried, **KEYED, times=BigInteger)
DROP = deletion(Erased.table()).where(
    *(_erased[name] == bindparam(f"dropped_{name}", type_=kind()) for name, kind in KEYED.items())
)
ALL = select(_erased.digest)
VERSIONS = select(_erased.version).distinct()
KEPT = Taking(Erased.table(), "kind", "version", "digest", "erasure_id")


class BroughtAgain(Exception):
    """Somebody brings identifiers that were erased. Nothing is written."""

    def __init__(self, values: Iterable[Value]) -> None:
        super().__init__("identifiers that were erased")
        self.values = frozenset(values)


def keep(connection: Connection, erasure_id: int, values: Iterable[Value]) -> None:
    """Put the hashes of what an erasure erases on record, in the transaction of `shut_out`.

    Raise `Conflict` when there is no key, and `Unavailable` when a key is missing.
    """
    keys = memory.of(connection).keys
    if lacking := keys.lacking(connection.scalars(VERSIONS)):
        # With a mistyped key it would hold here and stop everybody who has the right one.
        raise Unavailable(memory.missing(lacking))
    key = keys.signing()
    rows = {(value.kind.value, key.version, key.digest(value).hex()) for value in values}
    keep_hashes(connection, erasure_id, rows)


def keep_hashes(connection: Connection, erasure_id: int, rows: Iterable[Hash]) -> None:
    """Put hashes on record, but for those that are there."""
    rows = set(rows)
    known = {tuple(row[:3]) for row in ON_RECORD.ask(connection, rows)}
    KEPT.insert(connection, ((*row, erasure_id) for row in sorted(rows - known)))


def hashes_of(keys: Keys, value: Value) -> list[Hash]:
    """Return the hashes by which an identifier would be on record."""
    kind = value.kind.value
    return [(kind, version, digest.hex()) for version, digest in keys.digests(value)]


def on_record(connection: Connection, values: Iterable[Value]) -> dict[Value, list[Hash]]:
    """Return those of the values that were erased, with their hashes. Asks about each."""
    keys = memory.of(connection).keys
    asked = {row: value for value in values for row in hashes_of(keys, value)}
    found: dict[Value, list[Hash]] = {}
    for kind, version, digest, _ in ON_RECORD.ask(connection, asked):
        found.setdefault(asked[kind, version, digest], []).append((kind, version, digest))
    return found


def recalled(connection: Connection, values: Iterable[Value]) -> set[Value]:
    """Return which of the values were erased, as far as this process knows.

    That is no statement where none of them was. For whoever goes on to write them by a statement
    that looks whether there is a later erasure. Raise `Unavailable` when a key is missing.
    """
    known = memory.of(connection)
    if known.lacks_keys:
        # The key may be there by now, or was given up.
        known.catch_up(connection)
    likely = known.may_hold(values)
    return set(on_record(connection, likely)) if likely else set()


def recognizer(connection: Connection) -> tuple[int, Callable[[Value], bool] | None]:
    """Return the last erasure, and what tells of any identifier whether it was erased by then.

    That is None when nobody was.

    For very many of them: all hashes are in memory then. Raise `Unavailable` as above.
    """
    known = memory.of(connection)
    remembers(connection)
    up_to = known.up_to
    hashes = frozenset(map(bytes.fromhex, connection.scalars(ALL)))
    digesters = known.keys.digesters
    if not hashes:
        return up_to, None
    return up_to, lambda value: any(digest(value) in hashes for digest in digesters)


def remembers(connection: Connection) -> None:
    """Raise `Unavailable` when there are hashes on record whose key is missing."""
    known = memory.of(connection)
    known.catch_up(connection)
    known.check()


def check(
    connection: Connection,
    values: Iterable[Value],
    known_to: int | None = None,
    texts: Iterable[str] = (),
) -> int:
    """Return the last erasure that is known of.

    Raise `BroughtAgain` when one of the values was erased, or one that stands in one of the texts,
    which nobody reads where nothing was erased. `known_to` is what this returned about them
    before. Raise `Unavailable` as above.
    """
    up_to = memory.of(connection).up_to
    if up_to != known_to and (erased := recalled(connection, chain(values, memory.told_in(texts)))):
        raise BroughtAgain(erased)
    return up_to


def remembered(connection: Connection, values: Iterable[Value]) -> set[Value]:
    """Return which of the values were erased, as of now. Raise `Unavailable` as above."""
    memory.of(connection).catch_up(connection)
    return recalled(connection, values)


def tried(times: Mapping[Value, int]) -> None:
    """Count that somebody brought what was erased: how often each."""
    if not times:
        return

    def write() -> None:
        with database.transaction() as connection:
            found = on_record(connection, times)
            rows = ((*row, times[value]) for value, rows in found.items() for row in rows)
            TRIED.make(connection, sorted(rows), now=datetime.now(UTC))

    database.retrying(write)


def lift(connection: Connection, values: Iterable[Value]) -> Iterator[int]:
    """Forget that values were erased; yield the erasures that these hashes were of."""
    keys = memory.of(connection).keys
    asked = [row for value in values for row in hashes_of(keys, value)]
    found = list(ON_RECORD.ask(connection, asked))
    drop(connection, [(kind, version, digest) for kind, version, digest, _ in found])
    yield from Counter(row[3] for row in found)


def drop(connection: Connection, rows: Collection[Hash]) -> None:
    """Take hashes off the record."""
    names = [f"dropped_{name}" for name in KEYED]
    if rows:
        connection.execute(DROP, [dict(zip(names, row, strict=True)) for row in rows])
