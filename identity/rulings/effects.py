"""What a ruling does to evidence, or its withdrawal undoes: which claims, and what follows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Connection, FromClause, Select, exists, func, select

from identity import evidence, rebuilding
from identity.bulk import Question, Selected
from identity.comparing import Regrouped, changes
from identity.deciding import Ruled
from identity.evidence import CLAIM_COLUMNS, Telling, telling
from identity.identifiers import Value
from identity.models import Claim, Withdrawal
from identity.rebuilding import Locks, Part, Rebuilt
from identity.rulings import kinds, register
from identity.rulings.kinds import (
    Apart,
    ClaimWithdrawn,
    ImportWithdrawn,
    LinksNobody,
    SourceWithdrawn,
    Unnamed,
    What,
)
from identity.rulings.register import Registered

AT_ONCE = 10_000
"""Claims that are withdrawn in one transaction. While it lasts, whoever tells us of their customers
has to wait."""

_claim = Claim.table().c
_withdrawal = Withdrawal.table().c


@dataclass(frozen=True, slots=True)
class Effect:
    """What is to be done, or undone."""

    what: What
    ruling: Registered | None = None
    """None while it is only planned."""
    undo: bool = False

    @property
    def named(self) -> dict[str, Any]:
        """What the fingerprint of its plan covers beside the changes."""
        return {"undo": self.undo} | kinds.as_json(self.what)

    @property
    def is_about_claims(self) -> bool:
        """Tell whether it withdraws claims, and is not about values."""
        return not isinstance(self.what, Apart | LinksNobody)


@dataclass(frozen=True, slots=True)
class Step:
    """What is done in one go: whole customers, with all that is connected with them."""

    part: Part
    rebuilt: Rebuilt
    reached: dict[int, Telling]
    """The claims that it withdraws, or lets stand again."""

    def changes(self) -> list[Regrouped]:
        """Return how the customers change."""
        return changes(self.part.customers(), self.rebuilt.customers())


def matching(
    connection: Connection, effect: Effect, after: int | None = None, most: int = AT_ONCE
) -> list[Telling]:
    """Return claims that it is about and has not reached, in their order."""
    if not effect.is_about_claims:
        return []
    chosen = _left(effect)
    if after is not None:
        chosen = chosen.where(_claim.id > after)
    bound = {"ruling": effect.ruling.id if effect.ruling else 0}
    rows = connection.execute(chosen.order_by(_claim.id).limit(most), bound)
    return [telling(row) for row in rows]


def count(connection: Connection, effect: Effect) -> int:
    """Return how many claims it is about and has not reached."""
    if not effect.is_about_claims:
        return 0
    left = _left(effect).with_only_columns(func.count())
    return connection.scalar(left) or 0


def _left(effect: Effect) -> Select[*tuple[Any, ...]]:
    ruling = effect.ruling
    covered = exists().where(
        _withdrawal.claim_id == _claim.id,
        _withdrawal.ruling_id == (ruling.id if ruling else 0),
    )
    if effect.undo:
        return select(*CLAIM_COLUMNS).where(covered)
    chosen = _named_by(effect.what).where(~covered)
    return chosen.where(_claim.id <= ruling.up_to) if ruling else chosen


def _named_by(what: What) -> Select[*tuple[Any, ...]]:
    chosen = select(*CLAIM_COLUMNS)
    match what:
        case ImportWithdrawn(import_id):
            return chosen.where(_claim.import_id == import_id)
        case SourceWithdrawn(source, since, until):
            window = _claim.told_at >= since, _claim.told_at < until
            return chosen.where(_claim.source == source, *window)
        case ClaimWithdrawn(email, phone_number, source):
            # Compared to None, a column is asked whether it is null: the email alone.
            exactly = _claim.email == email, _claim.phone_number == phone_number
            chosen = chosen.where(*exactly)
            return chosen if source is None else chosen.where(_claim.source == source)
    raise AssertionError(what)


def step(
    connection: Connection, effect: Effect, claims: list[Telling], locks: Locks | None = None
) -> Step:
    """Return what it does to the customers of some claims, or of the values that it names.

    With `locks`, these customers are locked.
    """
    values = set(_values(effect.what))
    values.update(value for claim in claims for value in claim.values())
    through = [effect.what.value] if isinstance(effect.what, LinksNobody) else []
    undone = effect.ruling.id if effect.ruling and effect.undo else None

    def reading() -> Part:
        return rebuilding.read(connection, values, through=through, ruling=undone)

    def hold() -> None:
        if through:
            evidence.hold_nobody(connection, through, to_change=True)
        if undone:
            evidence.hold_apart(connection, undone)

    part = locks.read(connection, values, reading, hold) if locks else reading()
    reached = {claim.id: claim for claim in claims}
    if effect.is_about_claims:
        reached |= {id_: claim for id_, claim in part.claims.items() if _reaches(effect, claim)}
    standing = set(_standing(connection, effect, part, reached))
    claims_after = (part.claims[id_] for id_ in standing)
    rebuilt = rebuilding.follow(claims_after, _ruled(effect, part.ruled))
    return Step(part, rebuilt, reached)


def _values(what: What) -> Iterator[Value]:
    match what:
        case Apart(one, other):
            yield from (one, other)
        case LinksNobody(value):
            yield value


def _reaches(effect: Effect, claim: Telling) -> bool:
    if effect.undo:
        return claim.covered
    assert not isinstance(effect.what, Apart | LinksNobody | Unnamed)
    if effect.ruling and claim.id > effect.ruling.up_to:
        return False
    return effect.what.covers(claim)


def _standing(
    connection: Connection, effect: Effect, part: Part, reached: dict[int, Telling]
) -> Iterator[int]:
    """Yield the claims of a part that stand afterwards."""
    if not effect.undo:
        yield from part.claims.keys() - reached.keys()
        return
    others = covered_by_others(connection, effect, reached)
    for id_, claim in part.claims.items():
        if claim.stands or id_ not in others:
            yield id_


def covered_by_others(
    connection: Connection, effect: Effect, reached: dict[int, Telling]
) -> set[int]:
    """Return those of the claims reached that another ruling withdraws too."""
    assert effect.ruling
    others = register.withdrawals(connection, effect.ruling.id)
    asked = ((ruling_id, id_) for ruling_id in others for id_ in reached)
    return {row.claim_id for row in COVERED.ask(connection, asked)}


def _covered(asked: FromClause) -> Selected:
    row = Withdrawal.table().c
    return (
        select(row.claim_id)
        .select_from(asked)
        .join(
            Withdrawal.table(),
            (row.ruling_id == asked.c.ruling_id) & (row.claim_id == asked.c.claim_id),
        )
    )


COVERED = Question(_covered, ruling_id=BigInteger, claim_id=BigInteger)


def _ruled(effect: Effect, before: Ruled) -> Ruled:
    """Return what is ruled afterwards."""
    after = Ruled(
        set(before.nobody), {value: dict(others) for value, others in before.apart.items()}
    )
    match effect.what:
        case Apart(one, other) if effect.undo:
            for here, there in ((one, other), (other, one)):
                after.apart.get(here, {}).pop(there, None)
        case Apart(one, other):
            # Not yet numbered while it is planned; it will have the highest number.
            after.keep_apart(one, other, effect.ruling.id if effect.ruling else 1 << 62)
        case LinksNobody(value) if effect.undo:
            after.nobody.discard(value)
        case LinksNobody(value):
            after.nobody.add(value)
    after.apart = {value: others for value, others in after.apart.items() if others}
    return after


def steps(connection: Connection, effect: Effect) -> Iterator[Step]:
    """Yield all that it does, at one moment and without locking anything."""
    if not effect.is_about_claims:
        yield step(connection, effect, [])
        return
    after, ahead = None, set[int]()
    while claims := matching(connection, effect, after):
        after = claims[-1].id
        left = [claim for claim in claims if claim.id not in ahead]
        if left:
            found = step(connection, effect, left)
            ahead.update(found.reached)
            yield found
        ahead = {id_ for id_ in ahead if id_ > after}


def numbered(effect: Effect, registered: Registered) -> Effect:
    """Return the effect of a ruling that is kept now."""
    return replace(effect, ruling=registered)
