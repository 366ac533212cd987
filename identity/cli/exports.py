"""Files to take away: `flask identity export`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from flask.cli import with_appcontext

from identity import auditing, drafts, exporting
from identity.auditing import COMMAND_LINE, Deed
from identity.cli import exits
from identity.cli.progress import Progress
from identity.copying import making
from identity.exporting import What


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--contacts", is_flag=True, help="CSV with one row a contact, with its primary.")
@click.option("--evidence", is_flag=True, help="A copy: all that customers follow from.")
@click.option("--json", "as_json", is_flag=True, help="Print how many there are, as JSON.")
@with_appcontext
def export_file(file: Path, *, contacts: bool, evidence: bool, as_json: bool) -> None:
    """Export all customers to a file; to the terminal or a pipe with -.

    For a spreadsheet: CSV with one row a customer, or one row a contact with --contacts. That
    is how customers stand now, and not why: imported again, customers that were merged without
    a new contact come apart, and rulings and sources are gone.

    For a copy: --evidence. All claims, references, rulings and imports, a line of JSON each.
    flask identity import takes it into an empty database, on SQLite or PostgreSQL, and gives
    back every customer, id, ruling and source. The ledger, keys and users are not in it.

    The file is there when all of it is: until then, what was there before. Exits with 2 when it
    cannot be written, and with 3 when the database went away.
    """
    if contacts and evidence:
        raise click.UsageError("Either --contacts or --evidence: one is for a spreadsheet.")
    if as_json and file == Path("-"):
        raise click.UsageError("Either --json or -: both are written to stdout.")
    what = What.CONTACTS if contacts else What.CUSTOMERS
    kind = "evidence" if evidence else what.value
    auditing.note(Deed.EXPORTED, COMMAND_LINE, kind)
    count, lines = making.count() if evidence else exporting.count(what), 0
    try:
        with _opened(file) as out, Progress(count) as progress:
            for part in making.parts() if evidence else exporting.parts(what):
                out.write(part)
                lines += part.count(b"\n")
                progress.read(part.count(b"\n"))
    except OSError as error:
        click.echo(exits.unwritable(file, error), err=True)
        sys.exit(exits.UNUSABLE)
    if as_json:
        # A copy begins and ends with a line about itself, and CSV begins with its header.
        rows = lines - (2 if evidence else 1)
        click.echo(json.dumps({"export": kind, "file": str(file), "rows": rows, "exit": 0}))


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Give what becomes that file: half an export must not be taken for a whole one."""
    if file != Path("-"):
        with drafts.whole(file) as out:
            yield out
        return
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError:
        exits.hush()
        raise
