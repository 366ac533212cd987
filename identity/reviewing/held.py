"""What was kept apart and tried again: claims that a ruling holds, told after it was made."""

from collections.abc import Collection, Iterator

from sqlalchemy import BigInteger, Connection, FromClause, func, select

from identity.bulk import Question, Selected
from identity.models import Claim, Ruling
from identity.reviewing.findings import Found, Kind
from identity.rulings import register
from identity.rulings.register import Registered

SOURCES = 5
"""Sources that are named."""

_claim = Claim.table().c
_ruling = Ruling.table().c


def _tries(asked: FromClause) -> Selected:
    return (
        select(
            asked.c.id,
            _claim.source,
            func.count().label("tries"),
        )
        .select_from(asked)
        .join(Ruling.table(), _ruling.id == asked.c.id)
        .join(Claim.table(), _claim.held_by == _ruling.id)
        # What was told before it was made is what it was made about.
        .where(_claim.id > _ruling.up_to, _claim.stands, _ruling.withdrawn_at.is_(None))
        .group_by(asked.c.id, _claim.source)
    )


TRIES = Question(_tries, id=BigInteger)


def look(connection: Connection, rulings: Collection[int]) -> Iterator[Found]:
    """Yield how often somebody tried what some rulings hold."""
    told: dict[int, list[tuple[int, str]]] = {id_: [] for id_ in rulings}
    for id_, source, tries in TRIES.ask(connection, ((id_,) for id_ in rulings)):
        told[id_].append((tries, source))
    for id_, by in told.items():
        sources = [source for _, source in sorted(by, key=lambda each: (-each[0], each[1]))]
        detail = {"sources": sources[:SOURCES], "more": len(sources[SOURCES:])}
        yield Found(Kind.HELD_AGAIN, str(id_), sum(tries for tries, _ in by), detail)


def check(connection: Connection, subjects: Collection[str]) -> Iterator[Found]:
    """Yield what some findings are about as it is now."""
    yield from look(connection, [int(each) for each in subjects])


def rulings(connection: Connection, ids: Collection[int]) -> dict[int, Registered]:
    """Return the rulings of some ids."""
    rows = connection.execute(select(*register.COLUMNS).where(_ruling.id.in_(ids)))
    return {each.id: each for each in map(register.registered, rows)}
