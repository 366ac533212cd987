"""What is kept no longer: `flask identity retain`."""

import click
from flask.cli import with_appcontext

from identity import retaining
from identity.web import current

FOR_EVER = (
    "Everything is kept: neither RETAIN_HISTORY nor RETAIN_FILES is set. Nothing was removed."
)


@click.command()
@with_appcontext
def retain() -> None:
    """Remove what is older than RETAIN_HISTORY and RETAIN_FILES have it kept.

    The process that delivers does so by itself, every hour. It may be stopped and begun again.
    """
    config = current.config()
    if config.retain_history is None and config.retain_files is None:
        click.echo(FOR_EVER)
    for swept in retaining.sweep(config):
        click.echo(str(swept))
