"""A copy of all evidence, brought back by `flask identity import`."""

import sys
from pathlib import Path

import click

from identity.cli.exits import UNUSABLE
from identity.cli.progress import Progress
from identity.copying import reading, restoring
from identity.copying.reading import Copy
from identity.counting import counted
from identity.errors import Conflict, InvalidInput, Unavailable

PASSES = 3
"""Over the lines: they are checked, written, and customers rebuilt from them."""


def import_copy(file: Path, *, dry_run: bool) -> None:
    """Bring a copy back, and exit with 2 when it cannot be used or the database is not empty."""
    try:
        copy = reading.begin(lambda: file.open("rb"))
        _describe(file, copy)
        counts = copy.header.counts
        total = counts.imports + counts.rulings + counts.claims
        restoring.check_empty()
        with Progress(total * PASSES) as progress:
            for _ in copy.lines():
                progress.read(1)
            if not dry_run:
                _restore(copy, progress)
    except (InvalidInput, Conflict) as problem:
        click.echo(f"{file}: {problem}", err=True)
        sys.exit(UNUSABLE)
    except OSError as error:
        click.echo(f"{file}: The file cannot be read: {error.strerror}.", err=True)
        sys.exit(UNUSABLE)
    if dry_run:
        click.echo("It is whole, and the database is empty; nothing was written.")
    else:
        click.echo("Done: every customer was rebuilt. To prove it: flask identity verify")


def _restore(copy: Copy, progress: Progress) -> None:
    try:
        left_out = restoring.restore(copy, progress.read)
    except Unavailable as problem:
        again = "A copy is taken in whole or not at all: import it again."
        raise Unavailable(f"{problem} {again}") from problem
    if left_out:
        click.echo(f"Left out: {counted(left_out, 'claim')} of people who were erased.")


def _describe(file: Path, copy: Copy) -> None:
    header = copy.header
    click.echo(f"{file.name}: a copy of all evidence, made {header.made_at:%Y-%m-%d %H:%M} UTC")
    for label, number in header.counts:
        click.echo(f"  {number:>12,}  {label}")
