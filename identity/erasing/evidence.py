"""What an erasure takes out of the evidence, and what it leaves in the ledger: ids."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import BigInteger, Connection, FromClause, delete, select
from sqlalchemy.sql.dml import UpdateBase

from identity import comparing
from identity.bulk import Change
from identity.comparing import Regrouped
from identity.models import Claim, EventKind, Reference, Withdrawal


def became(change: Regrouped, id_of: Callable[[int], int]) -> dict[str, list[int]]:
    """Return the primaries of customers before, and of those that they became."""
    before = sorted(each.primary_id for each in change.before)
    return {"before": before, "after": sorted(id_of(each.primary_id) for each in change.after)}


def lines(
    erasure_id: int, found: list[Regrouped], id_of: Callable[[int], int]
) -> Iterator[tuple[EventKind, int, dict[str, Any]]]:
    """Yield a line of the ledger for each customer that changed."""
    for primary, detail in comparing.lines(found, id_of):
        yield EventKind.CUSTOMER_ERASED, primary, {"erasure": erasure_id} | detail


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
