"""Who did what: `flask identity audit`; and who need not say who they are."""

from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from identity import access, auditing, database
from identity.auditing import Deed, Wanted

MOST = 100


@click.command()
@click.option("--who", help="Only what a user did, or a key, or the command line.")
@click.option("--what", type=click.Choice([deed.value for deed in Deed]), help="Only this.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only what was done that day, UTC.")
@click.option("--before", type=int, metavar="ID", help="Only lines older than this one.")
@click.option("--most", type=click.IntRange(1), default=MOST, show_default=True)
@with_appcontext
def audit(
    *, who: str | None, what: str | None, day: datetime | None, before: int | None, most: int
) -> None:
    """List who did what, the newest first: sign-ins, look-ups, exports, imports, rulings, users.

    Its columns are the line's id, when, who, what, about which id or name, and from which network.
    """
    wanted = Wanted(who, Deed(what) if what else None, day and day.replace(tzinfo=UTC).date())
    lines, more = database.read(lambda connection: auditing.page(connection, wanted, before, most))
    for line in lines:
        told = line.who or "-", line.what, line.about or "-", line.came_from or "-"
        click.echo("\t".join((str(line.id), f"{line.at:%Y-%m-%dT%H:%M:%SZ}", *told)))
    if more:
        click.echo(f"Older ones: --before {lines[-1].id}", err=True)


@click.command()
@with_appcontext
def local() -> None:
    """Let whoever is on this machine in again without a key, where no key and no user is left."""
    access.let_local_in()
