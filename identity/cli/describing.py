"""How a file is read and what of it could not be, as it is printed."""

import click

from identity.importing.dates import UNCLEAR
from identity.importing.run import Source
from identity.importing.tally import Tally

KINDS = 20
"""Kinds of doubts that are told; the most frequent first."""


def describe(source: Source) -> None:
    """Print what is read of a file, what is not and perhaps should be, and what is unclear."""
    # A name that cannot be one is told alone.
    given, columns, name = source.file, source.file.columns, source.name
    click.echo(f"{given.name}: {given}")
    for label, found in (
        ("email", columns.emails),
        ("phone", columns.phones),
        ("created at", columns.created_at),
        ("country", columns.country),
        ("reference", [columns.reference] if columns.reference else []),
        ("name", columns.name),
    ):
        names = ", ".join(column.name for column in found)
        nothing = "- (every row is dated today)" if label == "created at" else "-"
        click.echo(f"  {label:10} {names or nothing}")
    if columns.phones:
        click.echo(f"  region     {source.region or '-'}")
    click.echo(f"  source     {name}")
    for note in given.notes:
        click.echo(f"  note       {note}")
    for column in columns.created_at:
        if column.dates == UNCLEAR:
            click.echo(
                f"Is 03/04/2024 in April or in March? Nothing in “{column.name}” tells. Say "
                "--date-format day-first or --date-format month-first;\n"
                "  until then rows with such dates are dated today."
            )
    if columns.overlooked:
        click.echo("Not read, although it looks as if it should be:")
    for each, looks_like, how in columns.overlooked:
        click.echo(f"  “{each}” holds {looks_like}. To read it: {how}")


def tell_doubts(tally: Tally) -> None:
    """Print what could not be used, by column and reason, with a few examples."""
    doubts = tally.doubts()
    if doubts:
        click.echo("Not used:")
    for doubt in doubts[:KINDS]:
        where = f"{doubt.column}: " if doubt.column else ""
        what = doubt.reason if doubt.column else doubt.reason[:1].upper() + doubt.reason[1:]
        click.echo(f"  {doubt.count:,} x {where}{what}")
        for line, value in doubt.examples:
            click.echo(f"    line {line}: {value}" if value else f"    line {line}")
        if doubt.count > len(doubt.examples):
            click.echo(f"    ... and {doubt.count - len(doubt.examples):,} more")
    if len(doubts) > KINDS:
        click.echo(f"  ... and {len(doubts) - KINDS:,} more kinds")
