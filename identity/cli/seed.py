"""Demo customers: `flask identity seed`."""

import click
from flask.cli import with_appcontext

from identity import seeding


@click.command()
@with_appcontext
def seed() -> None:
    """Fill in the demo customers. The same ones every time; running it again adds nothing."""
    click.echo(seeding.seed())
