"""What a process knows of what was erased, so that it need not ask about every new value.

The first eight bytes of each hash, in order: a few megabytes for a million. Whoever writes a new
identifier says up to which erasure this was known (`up_to`), and the statement that writes it does
nothing when there is a later one. So an erasure holds from the moment it is on record, and asking
for one costs nothing more than that look at the end of a small table.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Connection, Engine, bindparam, exists, func, select
from sqlalchemy.engine import make_url

from identity import database, private
from identity.config import Config
from identity.errors import Unavailable
from identity.forgetting.keys import Keys, named
from identity.forgetting.texts import mentioned
from identity.identifiers import Value
from identity.models import Erased, Erasure

KNOWN = 8
"""Bytes of a hash that are kept in memory. Two that share them are told apart by the database."""
_up_to = bindparam("up_to", type_=BigInteger)
LATER = exists(select(Erasure.id).where(Erasure.id > _up_to))
"""Whether there is an erasure later than `up_to`. Who is erased has been told by then."""
LAST = select(func.coalesce(func.max(Erasure.id), 0))
HASHES = select(Erased.version, Erased.digest).where(
    Erased.erasure_id > _up_to, Erased.erasure_id <= bindparam("last", type_=BigInteger)
)


@dataclass(frozen=True, slots=True)
class _State:
    up_to: int
    beginnings: "array[int]"
    """Of all hashes, ascending."""
    unknown: frozenset[int]
    """Versions of hashes on record whose key is not here."""


NOTHING = _State(0, array("Q"), frozenset())


class Memory:
    """What is known of the erasures in one database."""

    def __init__(self, keys: Keys, region: str | None = None) -> None:
        self.keys, self.region = keys, region
        self._state = NOTHING

    @property
    def up_to(self) -> int:
        """The last erasure that is known here."""
        return self._state.up_to

    @property
    def lacks_keys(self) -> bool:
        """Tell whether there were hashes, when it was looked last, whose key is missing."""
        return bool(self._state.unknown)

    def forget(self) -> None:
        """Know nothing, as a process that has begun."""
        self._state = NOTHING

    def catch_up(self, connection: Connection) -> None:
        """Read the hashes of the erasures that are not known yet."""
        last = int(connection.scalar(LAST) or 0)
        before = self._state
        if before.unknown or last < before.up_to:
            # A key may be there by now; or a backup is, that knows of fewer.
            self.keys.reload()
            before = NOTHING
        if last == before.up_to:
            self._state = before
            return
        rows = connection.execute(HASHES, {"up_to": before.up_to, "last": last}).all()
        unknown = self.keys.lacking(version for version, _ in rows)
        beginnings = sorted(int(digest[: 2 * KNOWN], 16) for _, digest in rows)
        self._state = _State(
            last,
            array("Q", merge(before.beginnings, beginnings)),
            unknown,
        )

    def check(self) -> None:
        """Raise `Unavailable` when there are hashes that nothing can be compared with."""
        if unknown := self._state.unknown:
            raise Unavailable(missing(unknown))

    def may_hold(self, values: Iterable[Value]) -> list[Value]:
        """Return the values that may have been erased, as far as is known here.

        Raise `Unavailable` when that cannot be told.
        """
        self.check()
        known = self._state.beginnings
        if not known:
            return []
        digesters = self.keys.digesters
        return [
            value
            for value in values
            if any(_is_among(known, int.from_bytes(digest(value)[:KNOWN])) for digest in digesters)
        ]


def _is_among(known: "array[int]", beginning: int) -> bool:
    place = bisect_left(known, beginning)
    return place < len(known) and known[place] == beginning


def missing(versions: Collection[int]) -> str:
    """Return the sentence that keys are missing."""
    names = ", ".join(map(named, sorted(versions)))
    are = "The erasure key " + names if len(versions) == 1 else "The erasure keys " + names
    return (
        f"{are} {'is' if len(versions) == 1 else 'are'} missing, so it cannot be told who was "
        "erased, and nobody new is taken in. Set ERASURE_KEY, or put back ERASURE_KEY_FILE."
    )


_memories: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()


def configure(config: Config, folder: Path) -> None:
    """Let the engines of the app of now know the keys. `folder` is where SQLite's files are."""
    memory = Memory(_keys(config, folder), config.default_phone_region)
    for engine in database.db.engines.values():
        _memories[engine] = memory


def _keys(config: Config, folder: Path) -> Keys:
    if config.erasure_keys or config.erasure_key_file:
        file = Path(config.erasure_key_file) if config.erasure_key_file else None
        return Keys(config.erasure_keys, file)
    url = make_url(config.database_url)
    if config.frozen or not url.database or not url.drivername.startswith("sqlite"):
        return Keys(())
    # Where the database is a file, its owner may have a second one.
    return Keys((), private.key_beside(folder, url.database), may_make=True)


def of(connection: Connection) -> Memory:
    """Return what is known of the database of a connection."""
    return _memories[connection.engine]


def told_in(told: Iterable[str]) -> Iterator[Value]:
    """Yield what looks like an identifier in some texts."""
    region = here().region
    for each in filter(None, told):
        yield from mentioned(each, region)


def stand_in(told: Iterable[str], is_erased: Callable[[Value], bool]) -> bool:
    """Tell whether something that was erased stands in some texts."""
    return any(map(is_erased, told_in(told)))


def here() -> Memory:
    """Return what is known of the database of the app of now."""
    return _memories[database.db.engine]
