"""A file of customers, brought in by a command: rehearsed, refused or imported."""

import gc
from collections.abc import Sequence
from typing import Self

import click

from identity import auditing
from identity.auditing import COMMAND_LINE, Deed
from identity.caution import running
from identity.caution.choosing import Choices
from identity.cli import printing
from identity.cli.accounts import Account
from identity.cli.leftovers import Leftovers
from identity.cli.progress import Progress
from identity.cli.tolerance import Tolerance, doubts_of
from identity.importing import register
from identity.importing.files import CustomerFile
from identity.importing.rows import Doubt
from identity.importing.run import Source
from identity.reviewing import growth
from identity.web import current


class Watcher(Progress):
    """Shows progress and keeps the rejected rows."""

    def __init__(self, given: CustomerFile, account: Account, kept: Leftovers) -> None:
        super().__init__(given.count)
        self._account, self._kept = account, kept

    def __enter__(self) -> Self:
        # The collector would walk through millions of tuples again and again, and find nothing:
        # a sixth of the time.
        gc.disable()
        self._stack.callback(gc.enable)
        return self

    def read(self, rows: int) -> None:
        """Hear that so many more rows are done with."""
        self._account.read += rows
        self._kept.flush()
        super().read(rows)

    def doubted(
        self, line: int, doubts: Sequence[Doubt], cells: Sequence[str], *, used: bool
    ) -> None:
        """Keep a row of which something cannot be used."""
        self._kept.add(line, " ".join(map(str, doubts)), cells)


def _many() -> int:
    return current.config().many_strangers


def bring(
    source: Source,
    watcher: Watcher,
    account: Account,
    choices: Choices,
    tolerate: Tolerance | None,
) -> None:
    """Import the file, or find out what that would do, or that too much of it is in doubt."""
    if account.dry_run:
        account.plan = running.rehearse(source, watcher, choices, _many())
        account.tally = account.plan.tally
        return
    if tolerate is not None:
        tally = doubts_of(source)
        if not tolerate.allows(tally.doubtful + tally.rejected, tally.rows):
            account.tally, account.refused = doubts_of(source, watcher), True
            return
    account.import_id = register.give(source.file.name, COMMAND_LINE)
    auditing.note(Deed.IMPORTED, COMMAND_LINE, account.import_id)
    click.echo(f"  import     {account.import_id}")
    account.tally = running.carry_out(source, watcher, account.import_id, choices, _many())
    account.find_rulings()
    account.grown = growth.keep(account.import_id)
    printing.tell_rulings(account.rulings)
