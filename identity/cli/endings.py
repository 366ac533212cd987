"""How an import ends: what is told of it, and what the command exits with."""

import sys
from collections.abc import Iterable
from typing import TextIO

import click

from identity.cli import describing, exits, printing
from identity.cli.accounts import Account
from identity.cli.leftovers import Leftovers
from identity.cli.tolerance import Tolerance
from identity.counting import counted
from identity.errors import InvalidInput, Unavailable
from identity.reviewing.growth import Grown


def tell(account: Account, kept: Leftovers, tolerate: Tolerance | None) -> int:
    """Print what came of it; return what to exit with."""
    tally = account.tally
    assert tally is not None
    doubted = tally.doubtful + tally.rejected
    if account.refused:
        click.echo(
            f"Nothing was imported: of {counted(tally.rows, 'row')} {doubted:,} are in doubt, more "
            f"than --tolerate {tolerate} allows."
        )
        describing.tell_doubts(tally)
    else:
        printing.tell(tally, account.plan)
        _tell_grown(account.grown)
    kept.tell()
    fine = tolerate.allows(doubted, tally.rows) if tolerate else not doubted
    return exits.DONE if fine and not kept.lost else exits.DOUBTS


def _tell_grown(grown: Iterable[Grown]) -> None:
    """Print the customers that an import made unusually large, and what holds each together."""
    for each in grown:
        large = f"{each.contacts:,} contacts, which is unusually many"
        click.echo(f"  customer {each.primary_id} has {large}")
        if each.shared:
            value, many = each.shared
            click.echo(
                f"    {many:,} of them have {value.text}; if it is nobody's: "
                f"flask identity links-nobody {value.text}"
            )


def tell_broken_off(problem: BaseException, account: Account, kept: Leftovers | None) -> int:
    """Print why it ended before its end, and how to go on; return what to exit with."""
    match problem:
        case KeyboardInterrupt():
            account.error, code = "Stopped.", exits.code_of(problem)
        case Unavailable():
            account.error, code = f"Broken off: {problem}", exits.of_database(problem)
        case InvalidInput():
            account.error, code = f"{account.file}: {problem}", exits.UNUSABLE
        case OSError():
            account.error = exits.unwritable(problem.filename or account.file, problem)
            code = exits.UNUSABLE
        case _:
            account.error, code = f"Error: {problem}", exits.REFUSED
    click.echo(account.error, err=True)
    if account.import_id is not None or code != exits.UNUSABLE:
        account.tell_broken_off(kept)
    return code


def print_json(told: str, stdout: TextIO) -> None:
    """Print the figures, which must not be lost."""
    try:
        click.echo(told, file=stdout)
    except OSError as error:
        exits.hush()
        click.echo(exits.unwritable("stdout", error), err=True)
        sys.exit(exits.UNUSABLE)
