"""Files of customers: `flask identity import`."""

import gc
import io
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import click
from flask import current_app
from flask.cli import with_appcontext

from identity import auditing, database, exporting
from identity.auditing import COMMAND_LINE, Deed
from identity.caution import running
from identity.caution.choosing import Choices
from identity.cli import printing
from identity.cli.copies import import_copy, is_copy
from identity.cli.exits import DOUBTS, UNUSABLE
from identity.cli.progress import Progress
from identity.errors import InvalidInput, Unavailable
from identity.importing import register
from identity.importing.columns import Chosen
from identity.importing.files import CustomerFile, examine
from identity.importing.opening import spool
from identity.importing.opening.spool import Opened
from identity.importing.rejects import Rejects
from identity.importing.rows import Doubt
from identity.importing.run import Source
from identity.importing.tally import Tally
from identity.rulings import register as rulings

STDIN = Path("-")
OURS = """\
Note: this was exported from here for a spreadsheet, and is not a copy. It does not say which
customers were merged without a new contact, nor who told what; those merges are lost in it.
A copy is what export --evidence writes."""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say exactly what would happen, and write nothing.")
@click.option("--email", multiple=True, metavar="COLUMN", help="The column with emails.")
@click.option("--phone", multiple=True, metavar="COLUMN", help="With phone numbers; repeatable.")
@click.option("--created-at", multiple=True, metavar="COLUMN", help="With the date of each row.")
@click.option("--country", multiple=True, metavar="COLUMN", help="With each row's country.")
@click.option("--reference", multiple=True, metavar="COLUMN", help="With the source's own ids.")
@click.option("--name", multiple=True, metavar="COLUMN", help="With names; repeatable, in order.")
@click.option(
    "--source",
    "feed",
    metavar="NAME",
    help="Who tells what the file says; the kind of export when absent.",
)
@click.option("--as-it-is", is_flag=True, help="Join whatever strangers share, too.")
@click.option(
    "--keep-apart",
    multiple=True,
    metavar="IDS",
    help="Leave these customers as they are: their ids, as in 1,2. Repeatable.",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write the rows that cannot be used, by default beside the file.",
)
@with_appcontext
def import_file(
    file: Path,
    *,
    dry_run: bool,
    rejects: Path | None,
    feed: str | None,
    as_it_is: bool,
    keep_apart: Sequence[str],
    **columns: Any,
) -> None:
    """Import customers from a CSV file, or a copy into an empty database.

    Exports of Shopify, WooCommerce, Stripe, HubSpot, Mailchimp and Klaviyo are recognised by
    the names of their columns, and so is any file with a column for emails or phone numbers.
    What the same --source has said before is nothing new, whichever file says it.

    A value that strangers share, 0000000000 say, would make one customer of them. It links nobody,
    by a ruling of that import which can be undone; --as-it-is joins them.

    A copy that export --evidence wrote goes into an empty database only, all of it or nothing,
    and gives back every customer, id, ruling and source.

    Exits with 1 when some rows could not be used, with 2 when the file could not and nothing
    was written, and with 3 when the database went away half-way.
    """
    if is_copy(file):
        if feed or rejects or as_it_is or keep_apart or any(columns.values()):
            raise click.UsageError("A copy is taken as it is: only --dry-run goes with it.")
        import_copy(file, dry_run=dry_run)
        return
    source = _examine(file, feed or "", Chosen(**columns))
    choices = printing.choices(keep_apart, as_it_is=as_it_is)
    if not dry_run:
        rejects = rejects or file.with_name(f"{file.stem}.rejects.csv")
    with _Watcher(source.file, rejects) as watcher:
        if dry_run:
            plan = running.rehearse(source, watcher, choices, _many())
            tally = plan.tally
        else:
            tally, plan = _carry_out(source, watcher, choices), None
    printing.tell(tally, plan)
    in_doubt = tally.rejected or tally.doubtful
    if in_doubt and rejects:
        click.echo(f"These rows are in {rejects}: mend them there and import that file.")
    sys.exit(DOUBTS if in_doubt else 0)


def _examine(file: Path, feed: str, chosen: Chosen) -> Source:
    """Return the file as it is to be read, and tell how; exit with 2 when it cannot be used."""
    region = current_app.config["IDENTITY"].default_phone_region
    try:
        customers = examine(file.name, _opened(file), chosen)
        source = Source(customers, region, feed)
        printing.describe(customers, source.name)
    except InvalidInput as problem:
        click.echo(f"{file}: {problem}", err=True)
        sys.exit(UNUSABLE)
    if exporting.wrote(customers.header):
        click.echo(OURS, err=True)
    return source


def _opened(file: Path) -> Opened:
    # Closing it would leave nothing to ask with.
    return spool.kept(sys.stdin.buffer).open if file == STDIN else partial(io.FileIO, file)


class _Watcher(Progress):
    """Shows progress and keeps the rejected rows."""

    def __init__(self, given: CustomerFile, rejects: Path | None) -> None:
        super().__init__(given.count)
        self._rejects = Rejects(given.header, (lambda: rejects.open("wb")) if rejects else None)

    def __enter__(self) -> Self:
        self._stack.enter_context(self._rejects)
        # The collector would walk through millions of tuples again and again, and find nothing:
        # a sixth of the time.
        gc.disable()
        self._stack.callback(gc.enable)
        return self

    def doubted(
        self, line: int, doubts: Sequence[Doubt], cells: Sequence[str], *, used: bool
    ) -> None:
        """Keep a row of which something cannot be used."""
        self._rejects.add(line, " ".join(map(str, doubts)), cells)


def _many() -> int:
    return int(current_app.config["IDENTITY"].many_strangers)


def _carry_out(source: Source, watcher: _Watcher, choices: Choices) -> Tally:
    import_id = register.give(source.file.name, COMMAND_LINE)
    auditing.note(Deed.IMPORTED, COMMAND_LINE, import_id)
    click.echo(f"  import     {import_id}")
    try:
        tally = running.carry_out(source, watcher, import_id, choices, _many())
        name = register.source(import_id)
        printing.tell_rulings(database.read(lambda connection: rulings.by(connection, name)))
        return tally
    except Unavailable as problem:
        raise Unavailable(f"{problem} Import the file again to do the rest.") from problem
