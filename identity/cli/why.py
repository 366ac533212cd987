"""Why two identifiers belong together, for the terminal: `flask identity why`."""

import click
from flask.cli import with_appcontext

from identity import database, explaining
from identity.cli import typed
from identity.counting import counted
from identity.evidence import Telling
from identity.explaining import Step, Why
from identity.rulings.plans import published

TELLINGS = 5
"""Of one pair, on the screen."""


@click.command()
@click.argument("one")
@click.argument("other")
@with_appcontext
def why(one: str, other: str) -> None:
    """Tell which pairs lead from one email or phone number to another."""
    ends = [typed.identifier(each) for each in (one, other)]
    if ends[0] == ends[1]:
        raise click.UsageError("These are the same.")
    with database.snapshot() as connection:
        found = explaining.why(connection, *ends)
    if len(found.customers) > 1:
        _apart(found)
        return
    click.echo(f"Both are customer {found.customers[0]}'s. Given together were:")
    for step in found.chain:
        _step(step)


def _apart(found: Why) -> None:
    click.echo(f"They are those of customers {' and '.join(map(str, found.customers))}.")
    for held in found.held:
        click.echo(
            f"  {held.email} and {held.phone_number} were given together "
            f"({', '.join(held.sources)}), and ruling {held.ruling_id} keeps them apart"
        )
    if not found.held:
        click.echo("Nothing that was told joins them.")


def _step(step: Step) -> None:
    told = ", ".join(map(_told, step.tellings[:TELLINGS]))
    more = len(step.tellings) - TELLINGS
    click.echo(
        f"  {step.email} and {step.phone_number}: {told}{f' and {more} more' if more > 0 else ''}"
    )
    if step.left is None:
        return
    click.echo("    a bridge: nothing else joins the two. Without it there would be")
    for each in step.left:
        contacts = counted(len(each.members), "contact")
        click.echo(f"      {typed.customer(published(each))} with {contacts}")
    if not step.left:
        click.echo("      neither of them")


def _told(telling: Telling) -> str:
    origin = f", import {telling.import_id}" if telling.import_id else ""
    return f"{telling.source} ({telling.dated_at:%Y-%m-%d}{origin})"
