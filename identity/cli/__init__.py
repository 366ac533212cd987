"""The commands: `flask identity ...`."""

import atexit
import gc
import sys
import traceback
from pathlib import Path

import click
from flask.cli import AppGroup

from identity import database, seeding, verification
from identity.cli import exits, holding
from identity.cli.audit import audit, local
from identity.cli.delivering import deliver
from identity.cli.disclosures import access
from identity.cli.erasures import erase, erasures
from identity.cli.exports import export_file
from identity.cli.files import import_file
from identity.cli.keys import key
from identity.cli.report import report
from identity.cli.retain import retain
from identity.cli.review import review
from identity.cli.rulings import apart, links_nobody, rulings, undo, withdraw
from identity.cli.users import user
from identity.cli.webhooks import webhook
from identity.cli.why import why
from identity.errors import IdentityError, InvalidInput, Unavailable

UNREADABLE = "Something that is stored is not what its place should hold, and cannot be read."


class Commands(AppGroup):
    """Commands that say in one sentence what went wrong."""

    def invoke(self, context: click.Context) -> object:
        """Run a command; exit as `exits` has it, and never with a traceback of what is foreseen."""
        # The collector would look through everything once more when the process ends: a tenth of
        # the time that an import takes.
        atexit.register(gc.freeze)
        try:
            with exits.stoppable(), database.unhurried():
                return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except click.Abort:
            click.echo("Stopped: it was not confirmed.", err=True)
            sys.exit(exits.STOPPED)
        except KeyboardInterrupt as stopped:
            click.echo("Stopped.", err=True)
            sys.exit(exits.code_of(stopped))
        except Unavailable as problem:
            click.echo(f"Broken off: {problem}", err=True)
            sys.exit(exits.of_database(problem))
        except IdentityError as problem:
            click.echo(f"Error: {problem}", err=True)
            wrong = isinstance(problem, InvalidInput)
            sys.exit(exits.UNUSABLE if wrong else exits.REFUSED)
        except OSError as error:
            exits.hush()
            click.echo(exits.unwritable(error.filename or "stdout", error), err=True)
            sys.exit(exits.UNUSABLE)
        except Exception:
            # As Python ends, but for its exit code, which is that of a file with doubts.
            sys.excepthook(*sys.exc_info())
            sys.exit(exits.FAULT)


identity = Commands("identity", help="Look after the customers.")
identity.add_command(import_file)
identity.add_command(export_file)
identity.add_command(key)
identity.add_command(user)
identity.add_command(webhook)
identity.add_command(deliver)
for command in apart, links_nobody, withdraw, rulings, undo, erase, erasures, why:
    identity.add_command(command)
for command in review, report, retain, access, audit, local:
    identity.add_command(command)


for command in holding.COMMANDS:
    erasures.add_command(command)


@identity.command()
def seed() -> None:
    """Fill in the demo customers. The same ones every time; running it again adds nothing."""
    click.echo(seeding.seed())


@identity.command()
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
