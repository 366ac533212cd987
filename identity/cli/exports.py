"""Files to take away: `flask identity export`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from flask.cli import with_appcontext

from identity import auditing, exporting
from identity.auditing import COMMAND_LINE, Deed
from identity.cli.exits import UNUSABLE
from identity.cli.progress import Progress
from identity.copying import making
from identity.exporting import What


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--contacts", is_flag=True, help="CSV with one row a contact, with its primary.")
@click.option("--evidence", is_flag=True, help="A copy: all that customers follow from.")
@with_appcontext
def export_file(file: Path, *, contacts: bool, evidence: bool) -> None:
    """Export all customers to a file; to the terminal or a pipe with -.

    For a spreadsheet: CSV with one row a customer, or one row a contact with --contacts. That
    is how customers stand now, and not why: imported again, customers that were merged without
    a new contact come apart, and rulings and sources are gone.

    For a copy: --evidence. All claims, references, rulings and imports, a line of JSON each.
    flask identity import takes it into an empty database, on SQLite or PostgreSQL, and gives
    back every customer, id, ruling and source. The ledger, keys and users are not in it.
    """
    if contacts and evidence:
        raise click.UsageError("Either --contacts or --evidence: one is for a spreadsheet.")
    what = What.CONTACTS if contacts else What.CUSTOMERS
    auditing.note(Deed.EXPORTED, COMMAND_LINE, "evidence" if evidence else what.value)
    count = making.count() if evidence else exporting.count(what)
    try:
        with _whole(file) as out, Progress(count) as progress:
            for part in making.parts() if evidence else exporting.parts(what):
                out.write(part)
                progress.read(part.count(b"\n"))
    except OSError as error:
        click.echo(f"{file}: cannot be written: {error.strerror}.", err=True)
        sys.exit(UNUSABLE)


@contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    """Give what becomes that file: half an export must not be taken for a whole one."""
    if file == Path("-"):
        yield sys.stdout.buffer
        return
    draft = file.with_name(f".{file.name}.part")
    try:
        with draft.open("wb") as out:
            yield out
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
