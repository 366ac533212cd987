"""What came of an import, as one object of JSON for whoever runs it by a schedule."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from identity import database
from identity.caution.planning import Plan
from identity.cli.leftovers import Leftovers
from identity.counting import counted
from identity.errors import IdentityError
from identity.importing import register, written
from identity.importing.columns import Overlooked
from identity.importing.tally import Tally
from identity.reviewing.growth import Grown
from identity.rulings import register as rulings
from identity.rulings.register import Registered


@dataclass(slots=True)
class Account:
    """What is known of an import by now."""

    file: Path
    dry_run: bool
    rows: int = 0
    """How many there are in the file."""
    read: int = 0
    """How many of them are done with."""
    source: str | None = None
    import_id: int | None = None
    overlooked: Sequence[Overlooked] = ()
    """Columns that are not read, although they look as if they should be."""
    tally: Tally | None = None
    plan: Plan | None = None
    refused: bool = False
    """Whether nothing was written, because too much of the file is in doubt."""
    error: str | None = None
    rulings: list[Registered] = field(default_factory=list)
    grown: list[Grown] = field(default_factory=list)
    """Customers that it made unusually large."""

    def as_json(self, leftovers: Leftovers | None, code: int) -> str:
        """Return it in one line. No emails and no phone numbers: it may end up in a log."""
        tally = self.tally
        told: dict[str, Any] = {
            "import": self.import_id,
            "file": str(self.file),
            "source": self.source,
            "dry_run": self.dry_run,
            "written": not self.dry_run and self.import_id is not None,
            "counts": self._counts(),
            "doubts": [
                {"column": each.column, "reason": each.reason, "count": each.count}
                for each in (tally.doubts() if tally else ())
            ],
            "not_read": [
                {"column": each.name, "looks_like": each.looks_like} for each in self.overlooked
            ],
            "unions": len(tally.unions()) if tally else None,
            "rulings": self._rulings(),
            "large": [_large(each) for each in self.grown],
            "rejects": str(leftovers.where) if leftovers and leftovers.where else None,
            "error": self.error,
            "exit": code,
        }
        return json.dumps(told)

    def _counts(self) -> dict[str, int] | None:
        """Return the figures: of what was written, where it was broken off."""
        if self.tally is not None and self.refused:
            return {name: getattr(self.tally, name) for name in ("rows", "doubtful", "rejected")}
        if self.tally is not None:
            return self.tally.counts()
        written = self.written()
        return {"rows": self.read, **written} if written else None

    def written(self) -> dict[str, int]:
        """Return what an import has brought so far; nothing where nobody can say."""
        found: dict[str, int] = {}
        if self.import_id is not None:
            with suppress(IdentityError):
                found = written.by_lines(self.import_id)
        return found

    def _rulings(self) -> list[dict[str, Any]]:
        if self.plan is not None:
            # What would be ruled has no number yet.
            return [{"id": None, "kind": "links_nobody"} for _ in self.plan.nobody]
        return [{"id": each.id, "kind": each.what.kind.value} for each in self.rulings]

    def find_rulings(self) -> None:
        """Look up what the import ruled before its first row."""
        if self.import_id is not None:
            name = register.source(self.import_id)
            self.rulings = database.read(lambda connection: rulings.by(connection, name))

    def tell_broken_off(self, leftovers: Leftovers | None) -> None:
        """Print how far it came and how to go on, to stderr."""
        if self.import_id is None or self.dry_run:
            click.echo("Nothing was written.", err=True)
            return
        contacts = counted(self.written().get("contacts", 0), "contact")
        click.echo(
            f"Import {self.import_id} is through {self.read:,} of {counted(self.rows, 'row')} and "
            f"has brought {contacts}; these stay.\n"
            "Import the file again to do the rest. What is there already is nothing new then.\n"
            f"To take it back: flask identity withdraw import {self.import_id}",
            err=True,
        )
        if leftovers and leftovers.where:
            click.echo(f"Rows that could not be used so far: {leftovers.where}", err=True)


def _large(grown: Grown) -> dict[str, Any]:
    shared = grown.shared
    return {
        "customer": grown.primary_id,
        "contacts": grown.contacts,
        "joined_by": shared[0].kind.field if shared else None,
        "joined": shared[1] if shared else None,
    }
