"""The application, for gunicorn and for `flask`."""

import gc
import os
import sys

import click
from flask.cli import FlaskGroup

# Nothing of what is loaded becomes garbage, and the collector would look for some again and again:
# a sixth of the start. What is there by the end stays, and it never looks through that again.
gc.disable()

from identity import create_app  # noqa: E402
from identity.errors import ConfigurationError  # noqa: E402

# Databases, exports and rejected rows hold customers' data: nobody but their owner reads them.
os.umask(0o077)


def _is_for_commands() -> bool:
    """Tell whether `flask` looks for a command of ours, and nobody is going to be answered."""
    asking = click.get_current_context(silent=True)
    # `flask run`, `routes` and `shell` ask when they run already: they are below `flask`.
    return asking is not None and asking.parent is None and isinstance(asking.command, FlaskGroup)


try:
    app = create_app(answering=not _is_for_commands())
except ConfigurationError as problem:
    sys.stderr.write(f"{problem}\n")
    # As of a command line that is not understood: 1 is that of a file with doubts.
    sys.exit(2)
gc.freeze()
gc.enable()
