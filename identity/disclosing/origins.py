"""Which files brought somebody, what was found about them, and what of theirs was erased."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, FromClause, select

from identity.bulk import Question, Selected
from identity.disclosing.meeting import Collected
from identity.identifiers import Kind as Of
from identity.models import Erasure, Finding, Forgotten, Import
from identity.reviewing import country_codes, joints, values
from identity.reviewing.findings import Kind, Noted

_import = Import.table().c
_finding = Finding.table().c
_erasure = Erasure.table().c
_forgotten = Forgotten.table().c


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that told something of somebody."""

    id: int
    file_name: str
    given_by: str
    given_at: datetime
    source: str | None
    """What its claims name as their source."""
    rejects: bool
    """Whether rows of it are kept that could not be used; theirs may be among them."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """That identifiers of somebody were erased, who is known by others still."""

    id: int
    by: str
    at: datetime
    reason: str | None


def _imports(asked: FromClause) -> Selected:
    return (
        select(
            *(_import.id, _import.file_name, _import.given_by, _import.given_at, _import.feed),
            _import.rejects.is_not(None),
        )
        .select_from(asked)
        .join(Import.table(), _import.id == asked.c.id)
    )


def _erasures(asked: FromClause) -> Selected:
    return (
        select(_erasure.id, _erasure.by, _erasure.at, _erasure.reason)
        .select_from(asked)
        .join(Erasure.table(), _erasure.id == asked.c.id)
    )


def _forgotten_of(asked: FromClause) -> Selected:
    return (
        select(_forgotten.erasure_id)
        .select_from(asked)
        .join(Forgotten.table(), _forgotten.customer == asked.c.id)
    )


IMPORTS = Question(_imports, id=BigInteger)
ERASURES = Question(_erasures, id=BigInteger)
FORGOTTEN_OF = Question(_forgotten_of, id=BigInteger)
FINDINGS = select(
    *(_finding.id, _finding.kind, _finding.subject, _finding.many, _finding.detail),
    *(_finding.found_at, _finding.fine_by, _finding.fine_at, _finding.fine_many),
).order_by(_finding.id)


def imports(connection: Connection, met: Collected) -> Iterator[Brought]:
    """Yield the imports that brought something of what was met."""
    for row in IMPORTS.ask(connection, ((id_,) for id_ in met.imports)):
        yield Brought(*row)


def findings(connection: Connection, met: Collected) -> Iterator[Noted]:
    """Yield what was found about what was met, right by now or not. All findings are read."""
    numbers = {value.text for value in met.values if value.kind is Of.PHONE}
    for id_, kind, *rest in connection.execute(FINDINGS).yield_per(500):
        kept = Noted(id_, Kind(kind), *rest)
        if _is_about(kept, met, numbers):
            yield kept


def _is_about(kept: Noted, met: Collected, numbers: set[str]) -> bool:
    match kept.kind:
        case Kind.FILLER | Kind.SHARED:
            return values.named(kept.subject) in met.values
        case Kind.BRIDGE:
            return joints.named(kept.subject) in met.pairs
        case Kind.LARGE_MERGE:
            return int(kept.subject) in met.lines
        case Kind.HELD_AGAIN:
            return int(kept.subject) in met.rulings
        case Kind.COUNTRY_CODE:
            return not numbers.isdisjoint(country_codes.named(kept.subject))


def erasures(connection: Connection, met: Collected) -> Iterator[Forgetting]:
    """Yield the erasures of contacts that were the same customer's."""
    ids = {id_ for (id_,) in FORGOTTEN_OF.ask(connection, ((id_,) for id_ in met.ids))}
    for row in ERASURES.ask(connection, ((id_,) for id_ in ids | met.erasures)):
        yield Forgetting(*row)
