"""The group of all commands: finds each when it is asked for, and ends it as `exits` has it."""

import atexit
import gc
import sys
from collections.abc import Mapping

import click
from flask.cli import AppGroup
from werkzeug.utils import import_string

from identity import database
from identity.bulk import without_collecting
from identity.cli import exits
from identity.errors import IdentityError, InvalidInput, Unavailable


class Commands(AppGroup):
    """Commands that are loaded when they are asked for, and say in one sentence what went wrong."""

    def __init__(self, name: str, help_: str, places: Mapping[str, str]) -> None:
        """Have each command where `places` says, as in `identity.cli.files:import_file`."""
        super().__init__(name, help=help_)
        self._places = places

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all."""
        return sorted(self._places)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command; load what it needs and nothing of the others."""
        if name not in self._places:
            return None
        # As in `wsgi`: nothing of it becomes garbage.
        with without_collecting():
            command: click.Command = import_string(self._places[name])
        return command

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
