"""Rulings and their withdrawals: planned, applied as planned, and taken back.

What is connected changes in one transaction. A ruling over many customers that have nothing to do
with each other works in bounded ones, and whatever broke it off, saying it again does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, FromClause, delete, select, tuple_, update
from sqlalchemy.sql.dml import UpdateBase

from identity import auditing, comparing, database, evidence, forgetting, rebuilding, writing
from identity.auditing import Deed
from identity.bulk import Change, Load, without_collecting
from identity.errors import Conflict, NotFound
from identity.importing import register as imports
from identity.keyed import Taking
from identity.models import Claim, EventKind, KeptApart, Ruling, Withdrawal
from identity.rebuilding import Locks
from identity.rulings import effects, register
from identity.rulings.effects import (
    AT_ONCE,
    Effect,
    Step,
    covered_by_others,
    matching,
    numbered,
    step,
    steps,
)
from identity.rulings.kinds import Apart, ImportWithdrawn, LinksNobody, What
from identity.rulings.plans import Plan
from identity.rulings.register import Registered, Said

RULINGS = Ruling.table()
# Two rulings may be about customers that only both of them together connect, and neither would
# lock what the other reads.
DEEDS = {EventKind.RULED: Deed.RULED, EventKind.RULING_WITHDRAWN: Deed.RULING_UNDONE}
Watch = Callable[[int], None]
"""Told how many more claims are done with."""


def _watch_nothing(_: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What somebody asks for: by whom, why, and as planned or not."""

    by: str
    reason: str | None = None
    planned: str | None = None
    """The fingerprint of the plan that it must keep to."""

    def said(self) -> Said:
        """Return who says it, now."""
        return Said(self.by, datetime.now(UTC), self.reason)


@database.unhurried()
def count(what: What) -> int:
    """Return how many claims a ruling has yet to reach: how far it is to go."""

    def ask(connection: Connection) -> int:
        return effects.count(connection, Effect(what, register.same(connection, what)))

    return database.read(ask)


@database.unhurried()
def count_withdrawal(ruling_id: int) -> int:
    """Return the same for its withdrawal."""
    effect = _undoing(_get(ruling_id))
    return database.read(lambda connection: effects.count(connection, effect))


@database.unhurried()
def plan(what: What, watch: Watch = _watch_nothing) -> Plan:
    """Return what a ruling would change. Writes nothing.

    Raise `NotFound` when it names what is not on record, and `Conflict` when the same ruling
    stands or the import that it names is running.
    """
    rebuilding.catch_up()
    with database.snapshot() as connection:
        _check(connection, what)
        return _planned(connection, Effect(what), watch)


@database.unhurried()
def rule(what: What, ordered: Ordered, watch: Watch = _watch_nothing) -> tuple[Registered, Plan]:
    """Apply a ruling; return it and what it changed.

    Raise as `plan` does, and `Conflict` with the plan of now when that is not the one planned.
    Saying a ruling again that was broken off does the rest of it.
    """
    rebuilding.catch_up()
    effect = Effect(what)
    begun = database.read(lambda connection: register.same(connection, what))
    if begun is not None and begun.done is not None:
        return _get(begun.id), _apply_in_parts(numbered(effect, begun), ordered, watch)
    if database.read(lambda connection: _is_large(connection, effect)):
        if ordered.planned is not None:
            _compare(plan(what), ordered.planned)
        begun = database.retrying(lambda: _begin_in_parts(effect, ordered))
        whole = _apply_in_parts(numbered(effect, begun), ordered, watch)
        return _get(begun.id), whole
    locks = Locks()
    return database.retrying(lambda: _apply_at_once(effect, ordered, locks))


@database.unhurried()
def plan_withdrawal(ruling_id: int, watch: Watch = _watch_nothing) -> Plan:
    """Return what withdrawing a ruling would change.

    Raise `NotFound` when there is no such ruling, and `Conflict` when it is withdrawn already.
    """
    rebuilding.catch_up()
    with database.snapshot() as connection:
        return _planned(connection, _undoing(register.get(connection, ruling_id)), watch)


@database.unhurried()
def withdraw(
    ruling_id: int, ordered: Ordered, watch: Watch = _watch_nothing
) -> tuple[Registered, Plan]:
    """Withdraw a ruling: undo what it does. Otherwise as `rule`."""
    rebuilding.catch_up()
    effect = _undoing(_get(ruling_id))
    if database.read(lambda connection: _is_large(connection, effect)):
        if ordered.planned is not None:
            _compare(plan_withdrawal(ruling_id), ordered.planned)
        whole = _take_back_in_parts(ruling_id, ordered, watch)
    else:
        locks = Locks()
        whole = database.retrying(lambda: _take_back_at_once(ruling_id, ordered, locks))
    return _get(ruling_id), whole


def get(ruling_id: int) -> tuple[Registered, dict[str, Any]]:
    """Return a ruling and what it changed, or as much of it as is done. Raise `NotFound`."""
    registered = _get(ruling_id)
    kept = database.read(lambda connection: register.plan_of(connection, ruling_id))
    if "fingerprint" not in kept:
        kept = Plan.begun(Effect(registered.what).named, kept).as_json()
    return registered, kept


def _get(ruling_id: int) -> Registered:
    return database.read(lambda connection: register.get(connection, ruling_id))


def _check(connection: Connection, what: What) -> None:
    standing = register.same(connection, what)
    if standing and standing.done is None:
        raise Conflict(f"The same was ruled already: ruling {standing.id}.", ruling=standing.id)
    if isinstance(what, LinksNobody) and forgetting.remembered(connection, [what.value]):
        raise Conflict("This was erased, so nothing about it can be kept. Lift the erasure first.")
    if isinstance(what, Apart):
        holders = evidence.holders_of(connection, (what.one, what.other))
        for name, value in (("one", what.one), ("other", what.other)):
            if holders.get(value) is None:
                raise NotFound(f"No customer has the identifier named as {name}.")
    if isinstance(what, ImportWithdrawn):
        imports.check_ended(connection, what.import_id)
    effect = Effect(what, standing)
    if effect.is_about_claims and not matching(connection, effect, most=1):
        raise NotFound("Nothing on record matches that.")


def _undoing(registered: Registered) -> Effect:
    if registered.withdrawn and registered.done is None:
        raise Conflict(f"Ruling {registered.id} is withdrawn already.", ruling=registered.id)
    return Effect(registered.what, registered, undo=True)


def _is_large(connection: Connection, effect: Effect) -> bool:
    return len(matching(connection, effect, most=AT_ONCE + 1)) > AT_ONCE


def _compare(now: Plan, planned: str | None) -> None:
    if planned is not None and now.fingerprint != planned:
        raise Conflict("Something else would happen by now than was planned.", plan=now.as_json())


def _planned(connection: Connection, effect: Effect, watch: Watch) -> Plan:
    planned = Plan(effect.named)
    with without_collecting():
        for each in steps(connection, effect):
            planned.add(each.changes())
            watch(len(each.reached))
    return planned


def _apply_at_once(effect: Effect, ordered: Ordered, locks: Locks) -> tuple[Registered, Plan]:
    with database.only_one(RULINGS) as connection, without_collecting():
        _check(connection, effect.what)
        claims = matching(connection, effect, most=AT_ONCE + 1)
        registered = register.add(connection, effect.what, ordered.said(), in_parts=False)
        effect = numbered(effect, registered)
        whole = Plan(effect.named)
        _do(connection, effect, step(connection, effect, claims, locks), ordered, whole)
        _compare(whole, ordered.planned)
        _tell_ruling(connection, EventKind.RULED, registered, ordered)
        register.note(connection, registered.id, plan=whole.as_json())
    return registered, whole


def _begin_in_parts(effect: Effect, ordered: Ordered) -> Registered:
    with database.only_one(RULINGS) as connection:
        _check(connection, effect.what)
        registered = register.add(connection, effect.what, ordered.said(), in_parts=True)
        _tell_ruling(connection, EventKind.RULED, registered, ordered)
    return registered


def _apply_in_parts(effect: Effect, ordered: Ordered, watch: Watch) -> Plan:
    """Apply what is left of a ruling, a bounded number of claims at a time."""
    assert effect.ruling
    ruling_id, locks = effect.ruling.id, Locks()

    def go_on() -> tuple[Plan, int]:
        with database.only_one(RULINGS) as connection, without_collecting():
            registered = register.get(connection, ruling_id, lock=True)
            whole = Plan.begun(effect.named, register.plan_of(connection, ruling_id))
            if registered.done is None or registered.withdrawn:
                return whole, 0
            claims = matching(connection, effect, registered.done)
            if not claims:
                register.note(connection, ruling_id, done=None, plan=whole.as_json())
                return whole, 0
            _do(connection, effect, step(connection, effect, claims, locks), ordered, whole)
            register.note(connection, ruling_id, done=claims[-1].id, plan=whole.state())
            return whole, len(claims)

    while True:
        locks.primaries.clear()
        whole, count = database.retrying(go_on)
        if not count:
            return whole
        watch(count)


def _take_back_at_once(ruling_id: int, ordered: Ordered, locks: Locks) -> Plan:
    with database.only_one(RULINGS) as connection, without_collecting():
        effect = _undoing(register.get(connection, ruling_id, lock=True))
        claims = matching(connection, effect, most=AT_ONCE + 1)
        whole = Plan(effect.named)
        _do(connection, effect, step(connection, effect, claims, locks), ordered, whole)
        _compare(whole, ordered.planned)
        _note_withdrawn(connection, effect, ordered, done=None)
    return whole


def _take_back_in_parts(ruling_id: int, ordered: Ordered, watch: Watch) -> Plan:
    whole: Plan | None = None
    locks = Locks()

    def go_on() -> int:
        nonlocal whole
        with database.only_one(RULINGS) as connection, without_collecting():
            effect = _undoing(register.get(connection, ruling_id, lock=True))
            planned = whole or Plan(effect.named)
            claims = matching(connection, effect)
            if effect.ruling and not effect.ruling.withdrawn:
                _note_withdrawn(connection, effect, ordered, done=claims[0].id - 1)
            part = Plan(effect.named)
            if claims:
                _do(connection, effect, step(connection, effect, claims, locks), ordered, part)
            register.note(connection, ruling_id, done=claims[-1].id if claims else None)
        whole = planned.and_then(part)
        return len(claims)

    while count := database.retrying(go_on):
        locks.primaries.clear()
        watch(count)
    assert whole
    return whole


def _note_withdrawn(
    connection: Connection, effect: Effect, ordered: Ordered, done: int | None
) -> None:
    assert effect.ruling
    said = ordered.said()
    register.note(
        connection,
        effect.ruling.id,
        withdrawn_by=said.by,
        withdrawn_at=said.at,
        withdrawn_reason=said.reason,
        done=done,
    )
    _tell_ruling(connection, EventKind.RULING_WITHDRAWN, effect.ruling, ordered)


def _do(connection: Connection, effect: Effect, done: Step, ordered: Ordered, whole: Plan) -> None:
    """Write a step, and count it in the plan."""
    now = datetime.now(UTC)
    written = rebuilding.draw(connection, done.rebuilt)
    _mark(connection, effect, done)
    writing.correct(connection, rebuilding.difference(done.part, done.rebuilt, written), now)
    found = done.changes()
    whole.add(found, written.contact)
    assert effect.ruling
    told = {"ruling": effect.ruling.id}
    lines = comparing.lines(found, written.contact)
    changed = ((EventKind.CUSTOMER_CHANGED, id_, told | detail) for id_, detail in lines)
    writing.tell(connection, changed, ordered.by, now)


def _tell_ruling(
    connection: Connection, kind: EventKind, registered: Registered, ordered: Ordered
) -> None:
    if not imports.is_source(ordered.by):
        # What an import rules is on its page, and may be a thousand lines.
        auditing.record(connection, DEEDS[kind], ordered.by, registered.id)
    detail = {"ruling": registered.id, "kind": registered.what.kind.value, "reason": ordered.reason}
    writing.tell(connection, [(kind, None, detail)], ordered.by, datetime.now(UTC))


_claim = Claim.table().c
_withdrawal = Withdrawal.table().c
WITHDRAWALS = Load(Withdrawal.table(), "ruling_id", "claim_id")
KEPT_APART = Taking(KeptApart.table(), "kind", "value", "other_kind", "other_value", "ruling_id")


def _stand(asked: FromClause) -> UpdateBase:
    claim = Claim.table()
    return update(claim).where(claim.c.id == asked.c.id).values(stands=asked.c.stands)


def _uncover(asked: FromClause) -> UpdateBase:
    row = Withdrawal.table()
    key = tuple_(row.c.ruling_id, row.c.claim_id)
    return delete(row).where(key.in_(select(asked.c.ruling_id, asked.c.claim_id)))


STAND = Change(_stand, id=BigInteger, stands=Boolean)
UNCOVER = Change(_uncover, ruling_id=BigInteger, claim_id=BigInteger)


def _mark(connection: Connection, effect: Effect, done: Step) -> None:
    """Note which claims stand, and what is kept apart. Who links nobody is noted by correcting."""
    assert effect.ruling
    id_ = effect.ruling.id
    if isinstance(effect.what, Apart):
        one, other = effect.what.one, effect.what.other
        if effect.undo:
            connection.execute(delete(KeptApart.table()).where(KeptApart.ruling_id == id_))
        else:
            named = [(value.kind.value, value.text) for value in (one, other)]
            rows = [(*here, *there, id_) for here, there in (named, reversed(named))]
            KEPT_APART.insert(connection, rows)
    elif effect.is_about_claims and effect.undo:
        others = covered_by_others(connection, effect, done.reached)
        UNCOVER.make(connection, ((id_, claim) for claim in sorted(done.reached)))
        STAND.make(connection, ((each, True) for each in sorted(done.reached.keys() - others)))
    elif effect.is_about_claims:
        WITHDRAWALS.insert(connection, ((id_, claim) for claim in sorted(done.reached)))
        standing = (claim.id for claim in done.reached.values() if claim.stands)
        STAND.make(connection, ((each, False) for each in sorted(standing)))
