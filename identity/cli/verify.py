"""Whether all is as it should be: `flask identity verify`."""

import sys
import traceback
from pathlib import Path

import click
from flask.cli import with_appcontext

from identity import verification
from identity.cli import exits

UNREADABLE = "Something that is stored is not what its place should hold, and cannot be read."


@click.command()
@with_appcontext
def verify() -> None:
    """Rebuild every customer from the evidence, and compare with what is stored.

    Exits with 0 when all is as it should be, with 5 when something is not, with 3 when the
    database is away, and with 4 when it is damaged: then a backup is what helps.
    """
    try:
        report = verification.verify()
    except (ValueError, TypeError, LookupError) as error:
        # Its message may quote what is stored.
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}"
        click.echo(f"Broken off: {UNREADABLE} ({told})", err=True)
        sys.exit(exits.DAMAGED)
    click.echo(report)
    for sentence in report.unfinished:
        click.echo(f"  {sentence}")
    for problem in report.problems[: verification.SHOWN]:
        click.echo(f"  {problem}", err=True)
    if len(report.problems) > verification.SHOWN:
        click.echo(f"  ... and {len(report.problems) - verification.SHOWN:,} more", err=True)
    sys.exit(exits.DRIFTED if report.problems else exits.DONE)
