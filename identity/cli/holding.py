"""Erasures that hold: the keys they need, who comes back, and what a restored backup has to hear.

All below `flask identity erasures`.
"""

import re
import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from identity import drafts, forgetting, once
from identity.cli import exits, typed
from identity.cli.rulings import BY
from identity.counting import counted
from identity.erasing import again
from identity.errors import InvalidInput
from identity.forgetting import filing, lifting
from identity.forgetting.keys import named
from identity.rulings import orders

SET = "Set ERASURE_KEY to this, for the service and for commands, and start them anew:"
NOBODYS = "{number} that was erased links nobody by a ruling. Undo that ruling, and apply again."
NO_VERSION = "A key is named by eight hexadecimal digits, as in the sentence that it is missing."


@click.command("new-key")
def new_key() -> None:
    """Print a key for ERASURE_KEY. Keep it apart from the database and its backups."""
    click.echo(once.new_secret())


@click.command()
@with_appcontext
def rotate() -> None:
    """Let a new key sign from now on, beside all older ones.

    A file of keys is changed; of ERASURE_KEY the new value is printed.
    """
    keys = forgetting.here().keys
    # All of them: a process that runs signs with the older ones until it is started anew, and what
    # it makes then could never be compared again. One that nothing needs costs nothing.
    secrets = [once.new_secret(), *keys.secrets()]
    if keys.file is not None:
        with drafts.whole(keys.file) as out:
            out.write("".join(f"{each}\n" for each in secrets).encode())
        click.echo(f"{keys.file}: a new key signs from now on.")
    else:
        click.echo(SET, err=True)
        click.echo(" ".join(secrets))


@click.command()
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@click.option("--together", is_flag=True, help="All that was erased with them, too.")
@click.option("--reason", help="Why, for whoever reads it later.")
@with_appcontext
def lift(values: tuple[str, ...], *, together: bool, reason: str | None) -> None:
    """Let somebody come back, on their own wish. Nothing returns by itself."""
    named = frozenset(map(typed.identifier, values))
    try:
        reason = orders.reason(reason)
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None
    lifted = lifting.lift(named, BY, reason, together=together)
    click.echo(f"Lifted: {', '.join(f'erasure {each}' for each in lifted)}.")


@click.command("give-up")
@click.argument("version")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def give_up(version: str, *, yes: bool) -> None:
    """Give up a key that is lost for good, by the eight digits that the service names it by.

    Erasures that were made with it hold no longer: whoever brings those people brings them back.
    """
    if not re.fullmatch("[0-9a-fA-F]{8}", version):
        raise click.UsageError(NO_VERSION)
    number = int(version, 16)
    if not yes and (held := lifting.held_by(number)):
        click.echo(f"Would hold no longer: {counted(held, 'erasure')}.")
        click.confirm(f"Give the key {named(number)} up for good?", abort=True)
    held = lifting.give_up(number, BY)
    click.echo(f"The key {named(number)} is given up. No longer hold: {counted(held, 'erasure')}.")


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_erasures(file: Path) -> None:
    """Write all erasures to FILE: ids, dates and hashes, no values.

    Keep it apart from the backups: after one was restored, `apply` makes them again.
    """
    with drafts.whole(file) as out:
        out.write(filing.export())


@click.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def apply_erasures(file: Path) -> None:
    """Make the erasures in FILE again, after a backup from before them was restored."""
    done = again.apply(filing.read(file.read_bytes()), BY)
    click.echo(f"Taken over: {counted(done.taken_over, 'erasure')}.")
    click.echo(f"Erased again: {counted(done.erased, 'identifier')}.")
    if done.nobodys:
        click.echo(NOBODYS.format(number=counted(done.nobodys, "identifier")), err=True)
        sys.exit(exits.REFUSED)


COMMANDS: list[Any] = [new_key, rotate, lift, give_up, export_erasures, apply_erasures]
