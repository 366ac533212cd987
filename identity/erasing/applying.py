"""An erasure: planned, and applied as planned. In one transaction, however much it is.

Nothing undoes it. Whatever breaks it off leaves everything as it was.
"""

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from identity import auditing, database, forgetting, rebuilding, writing
from identity.auditing import Deed
from identity.bulk import without_collecting
from identity.comparing import IdOf, Regrouped
from identity.duplicates import kept
from identity.erasing import clearing, evidence, register
from identity.erasing.files import Files, Mentioning
from identity.erasing.mentions import Mentions
from identity.erasing.plans import Plan
from identity.erasing.reach import Reach, Wanted, claims_of, reach, values_of
from identity.erasing.register import Registered
from identity.erasing.scrubbing import Traces
from identity.errors import Conflict, IdentityError, InvalidInput, LostRace
from identity.evidence import REFERENCES
from identity.models import Ruling
from identity.rebuilding import Locks
from identity.reviewing import sweeping
from identity.rulings.applying import Ordered
from identity.rulings.plans import Plan as Changes
from identity.rulings.plans import id_or_none

# An erasure takes turns with rulings, whose claims and values it takes away.
RULINGS = Ruling.table()
OTHERWISE = "Something else would go by now than was planned."
MENTIONED = "reason must not name what is to be forgotten: it is kept."


@database.unhurried()
def plan(wanted: Wanted) -> Plan:
    """Return what an erasure would do. Writes nothing.

    Raise `NotFound` or `Gone` when there is no such customer, and `Conflict` where it cannot be.
    """
    rebuilding.catch_up()
    with database.snapshot() as connection, without_collecting():
        found = reach(connection, wanted)
        traces = Traces(connection, found.values, write=False)
        return _Erasing(connection, found, traces, Files(traces.mentions)).planned()


@database.unhurried()
def erase(wanted: Wanted, ordered: Ordered) -> tuple[Registered, Plan]:
    """Forget somebody; return the erasure and what it did.

    Raise as `plan` does, `InvalidInput` when the reason names them, and `Conflict` with the plan
    of now when that is not the one planned. The space is given back at once on SQLite; on
    PostgreSQL by whoever does duties, because it may take long.
    """
    rebuilding.catch_up()
    # Large files are read once, and before anything is locked.
    with database.snapshot() as connection:
        files = Files(Mentions(values_of(connection, wanted)))
        files.mentioning(connection)
    locks = Locks()
    erasure_id, done = database.retrying(lambda: _erase(wanted, ordered, locks, files))
    if database.has_one_writer():
        # It is done by now: nobody is told otherwise because its space is not given back yet.
        with suppress(IdentityError, SQLAlchemyError, sqlite3.Error):
            clearing.clear(clearing.PATIENCE)
    return register.get(erasure_id), done


def _erase(wanted: Wanted, ordered: Ordered, locks: Locks, files: Files) -> tuple[int, Plan]:
    with database.only_one(RULINGS) as connection, without_collecting():
        if connection.dialect.name == "sqlite":
            # Whatever goes is overwritten, also where the file cannot be written anew at once.
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        found = reach(connection, wanted, locks)
        traces = Traces(connection, found.values, write=True)
        if files.mentions != traces.mentions:
            files = Files(traces.mentions)
        if ordered.reason and traces.mentions.in_text(ordered.reason):
            raise InvalidInput(MENTIONED, {"reason": MENTIONED})
        return _Erasing(connection, found, traces, files).write(ordered)


@dataclass(frozen=True, slots=True)
class _Erasing:
    """One erasure, counted or done."""

    connection: Connection
    found: Reach
    traces: Traces
    files: Files

    def planned(self) -> Plan:
        """Return what would go."""
        files = self.files.mentioning(self.connection)
        counts = self._forget(files, "", datetime.now(UTC))
        return self._plan(files, counts, self.found.changes(), id_or_none)

    def write(self, ordered: Ordered) -> tuple[int, Plan]:
        """Let it go, as it was planned; return the id under which that is on record."""
        connection, found, said = self.connection, self.found, ordered.said()
        written = rebuilding.draw(connection, found.rebuilt)
        ceasing, changes = list(found.ceasing()), found.changes()
        files = self.files.mentioning(connection)
        counts = self._forget(files, ordered.by, said.at)
        done = self._plan(files, counts, changes, written.contact)
        if ordered.planned is not None and ordered.planned != done.fingerprint:
            raise Conflict(OTHERWISE, plan=done.as_json())
        evidence.take_out(connection, found.claims)
        corrections = rebuilding.difference(found.part, found.rebuilt, written)
        writing.correct(connection, corrections, said.at)
        self.files.leave_out(connection, files)
        # It names by their ids who spent what, and files perhaps by their names.
        kept.forget(connection)
        sweeping.distrust(connection)
        self._shut_out()
        became = [evidence.became(each, written.contact) for each in changes]
        erasure_id = register.add(connection, said, counts, became)
        forgetting.keep(connection, erasure_id, found.values)
        register.remember(connection, erasure_id, ceasing)
        lines = evidence.lines(erasure_id, changes, written.contact)
        writing.tell(connection, lines, ordered.by, said.at)
        auditing.record(connection, Deed.ERASED, ordered.by, erasure_id)
        return erasure_id, done

    def _shut_out(self) -> None:
        """Let nobody bring anything new until it is known that this is erased."""
        # At the end, for all who bring something new have to wait from here on; and after the
        # customers, as for them it is the identifiers that come last.
        others_wrote = forgetting.shut_out(self.connection)
        if claims_of(self.connection, self.found.values):
            raise LostRace("somebody brought them again meanwhile")
        if others_wrote:
            self.traces.references(())

    def _forget(self, files: Mentioning, by: str, now: datetime) -> dict[str, int]:
        """Let go what mentions them beside contacts and claims, or only count all of it."""
        traces, found = self.traces, self.found
        called = REFERENCES.ask(self.connection, ((id_,) for id_ in found.claims))
        traces.apart()
        traces.erasures()
        return {
            "identifiers": len(found.on_record()),
            "contacts": len(list(found.ceasing())),
            "claims": len(found.claims),
            "references": len(list(called)) + traces.references(found.claims.keys()),
            "history": traces.history(),
            "rulings": traces.rulings(by, now),
            "findings": traces.findings(),
            "files": len(files.waiting)
            + self.files.rename(self.connection, files.waiting, write=traces.write),
            "rejects": sum(gone for _, gone in files.rejected.values()),
        }

    def _plan(
        self, files: Mentioning, counts: dict[str, int], changes: list[Regrouped], id_of: IdOf
    ) -> Plan:
        found, changed = self.found, Changes({"erased": len(self.found.values)})
        changed.add(changes, id_of)
        sources = sorted({claim.source for claim in found.claims.values()})
        return Plan(found.values, counts, sources, files.waiting, changed)
