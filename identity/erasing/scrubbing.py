"""The tables in which somebody may be mentioned, beside contacts and claims.

Each is looked through in one way, whether what is found is only counted, for a plan, or goes.
What is normalised there is compared as it is; what people wrote is read (`mentions`).
"""

import json
from collections.abc import Collection, Container, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, delete, or_, select, text, update

from identity.database import Base
from identity.erasing.mentions import Mentions
from identity.forgetting.texts import without
from identity.identifiers import Kind, Value
from identity.models import Erasure, Event, EventKind, Finding, Reference, Ruling
from identity.rulings import kinds
from identity.rulings.kinds import Unnamed
from identity.rulings.plans import unmarked

# A list in one parameter, however long it is: each table is read once for all of it.
LISTED = {
    "sqlite": "(SELECT value FROM json_each(:{}))",
    "postgresql": "(SELECT json_array_elements_text(CAST(:{} AS json)))",
}
SAYING = "email IN {emails} OR phone_number IN {phones}"
FORGET = (
    "email = CASE WHEN email IN {emails} THEN NULL ELSE email END,"
    " phone_number = CASE WHEN phone_number IN {phones} THEN NULL ELSE phone_number END"
)
LINES = f"UPDATE event SET {FORGET} WHERE {SAYING}"  # noqa: S608
# What the version before told of pairs; nobody writes it now.
LINKS = f"DELETE FROM link WHERE {SAYING}"  # noqa: S608
NAMING = (
    "(kind = 'email' AND value IN {emails}) OR (kind = 'phone' AND value IN {phones})"
    " OR (other_kind = 'email' AND other_value IN {emails})"
    " OR (other_kind = 'phone' AND other_value IN {phones})"
)
APART = f"DELETE FROM kept_apart WHERE {NAMING}"  # noqa: S608
WITH_REASONS = EventKind.RULED.value, EventKind.RULING_WITHDRAWN.value

_event = Event.table().c
_erasure = Erasure.table().c
_ruling = Ruling.table().c
_finding = Finding.table().c
_reference = Reference.table().c


class Traces:
    """What mentions some identifiers, to be counted or to go."""

    def __init__(self, connection: Connection, values: Collection[Value], *, write: bool) -> None:
        """Change something only where `write` says so."""
        self._connection, self.write = connection, write
        self._values = frozenset(values)
        self._texts = frozenset(value.text for value in values)
        self.mentions = Mentions(values)
        of_kind = {
            kind: sorted(value.text for value in values if value.kind is kind) for kind in Kind
        }
        self._listed = {
            "emails": json.dumps(of_kind[Kind.EMAIL]),
            "phones": json.dumps(of_kind[Kind.PHONE]),
        }

    def history(self) -> int:
        """Take them out of the ledger, in anybody's history; return of how many lines."""
        self._run(LINKS)
        count = self._run(LINES)
        lines = select(_event.id, _event.detail).where(
            _event.kind.in_(WITH_REASONS), _event.detail.is_not(None)
        )
        for id_, detail in self._connection.execute(lines).all():
            if self._is_about(detail.get("reason")):
                count += 1
                self._set(Event, id_, detail=detail | {"reason": None})
        return count

    def apart(self) -> None:
        """Let nothing be kept apart from them."""
        self._run(APART)

    def references(self, gone: Container[int]) -> int:
        """Let no source call anybody by them; return how many did, of claims that are not gone."""
        # Some call a customer by the email, or write it beside the name.
        chosen = select(_reference.claim_id, _reference.reference, _reference.name)
        on_sqlite = self._connection.dialect.name == "sqlite"
        columns = _reference.reference, _reference.name
        likely = or_(*(self.mentions.likely_in(each, on_sqlite=on_sqlite) for each in columns))
        rows = self._connection.execute(chosen.where(likely)).all()
        left = [tuple(row) for row in rows if row[0] not in gone and self.mentions.any_in(row[1:])]
        for claim_id, reference, name in left if self.write else ():
            one = _reference.claim_id == claim_id, _reference.reference == reference
            self._connection.execute(delete(Reference).where(*one, _reference.name == name))
        return len(left)

    def rulings(self, by: str, now: datetime) -> int:
        """Take them out of rulings, and out of the plans kept of them; return of how many."""
        count = 0
        columns = _ruling.what, _ruling.reason, _ruling.withdrawn_reason, _ruling.withdrawn_at
        chosen = select(_ruling.id, *columns, _ruling.plan).order_by(_ruling.id)
        for id_, spelt, *reasons, withdrawn_at, plan in self._connection.execute(chosen).all():
            changed: dict[str, Any] = {}
            what = kinds.from_record(spelt)
            if self._values.intersection(kinds.values_of(what)):
                changed["what"] = kinds.spelt(Unnamed(what.kind))
                changed["withdrawn_at"] = withdrawn_at or now
                if withdrawn_at is None:
                    changed["withdrawn_by"] = by
            for name, reason in zip(("reason", "withdrawn_reason"), reasons, strict=True):
                if self._is_about(reason):
                    changed[name] = None
            left = without(plan, self._texts.__contains__)
            if left != plan or "what" in changed:
                changed["plan"] = unmarked(left)
            if changed:
                count += 1
                self._set(Ruling, id_, **changed)
        return count

    def erasures(self) -> None:
        """Take them out of what people wrote when they erased others, or lifted that."""
        reasons = _erasure.reason, _erasure.lifted_reason
        for id_, *written in self._connection.execute(select(_erasure.id, *reasons)).all():
            told = zip(reasons, written, strict=True)
            changed = {column.name: None for column, text in told if self._is_about(text)}
            if changed:
                self._set(Erasure, id_, **changed)

    def findings(self) -> int:
        """Take them out of what was found; return of how many findings."""
        count = 0
        chosen = select(_finding.id, _finding.subject, _finding.detail)
        for id_, subject, detail in self._connection.execute(chosen).all():
            left = without(detail, self._texts.__contains__)
            if self._texts.intersection(_subjects(subject)):
                count += 1
                if self.write:
                    self._connection.execute(delete(Finding).where(_finding.id == id_))
            elif left != detail:
                count += 1
                self._set(Finding, id_, detail=left)
        return count

    def _is_about(self, text: str | None) -> bool:
        return text is not None and self.mentions.in_text(text)

    def _set(self, model: type[Base], id_: int, **values: Any) -> None:
        if self.write:
            table = model.table()
            self._connection.execute(update(table).where(table.c.id == id_).values(**values))

    def _run(self, statement: str) -> int:
        """Run a statement about the values, or count what it would change."""
        if not self.write:
            statement = _counting(statement)
        done = self._connection.execute(*self._about(statement))
        return done.rowcount if self.write else int(done.scalar_one())

    def _about(self, statement: str) -> tuple[TextClause, dict[str, str]]:
        """Return a statement about the values, and the values."""
        form = LISTED[self._connection.dialect.name]
        spelt = statement.format(**{name: form.format(name) for name in self._listed})
        return text(spelt), {name: it for name, it in self._listed.items() if f":{name}" in spelt}


def _counting(statement: str) -> str:
    table = statement.split()[2 if statement.startswith("DELETE") else 1]
    _, _, condition = statement.rpartition(" WHERE ")
    return f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608


def _subjects(subject: str) -> Iterable[str]:
    """Yield what a finding may be about: a pair, a value with its kind before it, or an id."""
    if subject.startswith("["):
        yield from json.loads(subject)
    else:
        yield subject.partition(":")[2]
