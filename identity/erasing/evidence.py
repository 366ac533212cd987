"""What an erasure takes out of the evidence, and what it leaves in the ledger: ids."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import BigInteger, Connection, FromClause, delete, select
from sqlalchemy.sql.dml import UpdateBase

from identity.bulk import Change
from identity.models import Claim, EventKind, Reference, Withdrawal
from identity.rulings.plans import Change as Changed


def became(change: Changed, id_of: Callable[[int], int]) -> dict[str, list[int]]:
    """Return the primaries of customers before, and of those that they became."""
    before = sorted(each.primary_id for each in change.before)
    return {"before": before, "after": sorted(id_of(each.primary_id) for each in change.after)}


def lines(
    erasure_id: int, found: list[Changed], id_of: Callable[[int], int]
) -> Iterator[tuple[EventKind, int | None, dict[str, Any]]]:
    """Yield a line of the ledger for each customer that changed, or one that nobody did."""
    kind, about = EventKind.CUSTOMER_ERASED, {"erasure": erasure_id}
    if not found:
        yield kind, None, about | {"before": [], "after": []}
    for change in found:
        after, named = became(change, id_of)["after"], set[int]()
        for customer, formers in change.formers():
            named.update(formers)
            yield kind, id_of(customer.primary_id), about | {"before": formers, "after": after}
        for before in change.before:
            if before.primary_id not in named:
                left = {"before": [before.primary_id], "after": []}
                yield kind, before.primary_id, about | left


def _of_claims(asked: FromClause) -> UpdateBase:
    row = Reference.table()
    return delete(row).where(row.c.claim_id.in_(select(asked.c.id)))


def _covering(asked: FromClause) -> UpdateBase:
    row = Withdrawal.table()
    return delete(row).where(row.c.claim_id.in_(select(asked.c.id)))


def _claims(asked: FromClause) -> UpdateBase:
    row = Claim.table()
    return delete(row).where(row.c.id.in_(select(asked.c.id)))


REFERENCES = Change(_of_claims, id=BigInteger)
WITHDRAWALS = Change(_covering, id=BigInteger)
CLAIMS = Change(_claims, id=BigInteger)


def take_out(connection: Connection, claims: Iterable[int]) -> None:
    """Take claims out of the evidence, with what they carry and what withdraws them."""
    claims = sorted(claims)
    for change in REFERENCES, WITHDRAWALS, CLAIMS:
        change.make(connection, ((id_,) for id_ in claims))
