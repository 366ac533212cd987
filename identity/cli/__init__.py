"""The commands: `flask identity ...`."""

import sys

import click
from flask.cli import AppGroup

from identity import seeding, verification
from identity.cli.files import BROKEN_OFF, export_file, import_file
from identity.cli.keys import key
from identity.cli.users import user
from identity.errors import IdentityError, Unavailable


class Commands(AppGroup):
    """Commands that say in one sentence what went wrong."""

    def invoke(self, context: click.Context) -> object:
        """Run a command; exit 3 when the database went away, 1 when it cannot be done."""
        try:
            return super().invoke(context)
        except Unavailable as problem:
            click.echo(f"Broken off: {problem}", err=True)
            sys.exit(BROKEN_OFF)
        except IdentityError as problem:
            raise click.ClickException(str(problem)) from None


identity = Commands("identity", help="Look after the customers.")
identity.add_command(import_file)
identity.add_command(export_file)
identity.add_command(key)
identity.add_command(user)


@identity.command()
def seed() -> None:
    """Fill in the demo customers. The same ones every time; running it again adds nothing."""
    click.echo(seeding.seed())


@identity.command()
def verify() -> None:
    """Recompute every cluster from its evidence; exit 1 when one differs.

    Exits with 3 when the database could not be read.
    """
    report = verification.verify()
    click.echo(report)
    for problem in report.problems[: verification.SHOWN]:
        click.echo(f"  {problem}", err=True)
    sys.exit(1 if report.problems else 0)
