"""Files of customers: `flask identity import`."""

import io
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from identity import exporting
from identity.cli import describing, endings, leftovers, printing, typed
from identity.cli.accounts import Account
from identity.cli.bringing import Watcher, bring
from identity.cli.leftovers import STDOUT, Leftovers, beside
from identity.cli.reporting import heedless
from identity.cli.tolerance import Tolerance, Tolerated
from identity.copying import beginnings
from identity.errors import IdentityError
from identity.importing.columns import Chosen
from identity.importing.files import examine
from identity.importing.opening import spool
from identity.importing.opening.spool import Opened
from identity.importing.run import Source
from identity.web import current

STDIN = Path("-")
OURS = """\
Note: this was exported from here for a spreadsheet, and is not a copy. It does not say which
customers were merged without a new contact, nor who told what; those merges are lost in it.
A copy is what export --evidence writes."""
HELP = """\
Import customers from a file, or a copy into an empty database.

The file is CSV or .xlsx, packed with gzip or ZIP perhaps; - is what comes through a pipe.

Exports of Shopify, WooCommerce, Stripe, HubSpot, Mailchimp, Klaviyo, Salesforce, Zendesk, Square,
Outlook and Google are recognised by the names of their columns, and so is any file with a column
for emails or phone numbers. Columns that look as if they should be read, and are not, are named.
What the same --source has said before is nothing new, whichever file says it.

A value that strangers share, 0000000000 say, would make one customer of them. It links nobody,
by a ruling of that import which can be undone; --as-it-is joins them.

A copy that export --evidence wrote goes into an empty database only, all of it or nothing,
and gives back every customer, id, ruling and source.

Rows of which something cannot be used are written beside the file, those of customers.csv to
customers.rejects.csv, and never over a file that is there: mend them in a spreadsheet, and
import that file.

By a schedule: --tolerate 1% imports nothing when more than one row of a hundred is in doubt,
and exits with 0 when not; without it all is imported that can be used. --json prints one
object to stdout, and everything else to stderr.

Exits with 0 when all is done, with 1 when some cells or rows could not be used (or, with
--tolerate, too many), with 2 when the file could not, with 3 when the database went away
half-way, and with 130 when it was stopped with Ctrl-C (143 when it was told to end). To run it
again does the rest.
"""


@click.command("import", help=HELP)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say exactly what would happen, and write nothing.")
@click.option("--email", multiple=True, metavar="COLUMN", help="With emails; repeatable.")
@click.option("--phone", multiple=True, metavar="COLUMN", help="With phone numbers; repeatable.")
@click.option("--created-at", multiple=True, metavar="COLUMN", help="With the date of each row.")
@click.option("--country", multiple=True, metavar="COLUMN", help="With each row's country.")
@click.option("--reference", multiple=True, metavar="COLUMN", help="With the source's own ids.")
@click.option("--name", multiple=True, metavar="COLUMN", help="With names; repeatable, in order.")
@typed.REGION
@typed.DATES
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
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Where to write the rows of which something cannot be used, by default beside the file.",
)
@click.option(
    "--tolerate",
    type=Tolerated(),
    metavar="SHARE",
    help="Import nothing when more rows than that are in doubt: 1%, or 50 rows.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, and only these.")
@with_appcontext
def import_file(
    file: Path,
    *,
    dry_run: bool,
    rejects: Path | None,
    tolerate: Tolerance | None,
    as_json: bool,
    feed: str | None,
    as_it_is: bool,
    keep_apart: Sequence[str],
    **columns: Any,
) -> None:
    """Import customers from a file; how is said in `HELP`."""
    if beginnings.is_copy(file):
        # No file of customers needs any of this.
        from identity.cli.copies import import_copy

        others = feed, rejects, as_it_is, keep_apart, tolerate, as_json, *columns.values()
        if any(others):
            raise click.UsageError("A copy is taken as it is: only --dry-run goes with it.")
        import_copy(file, dry_run=dry_run)
        return
    if as_json and rejects == STDOUT:
        raise click.UsageError("Either --json or --rejects -: both are written to stdout.")
    if rejects:
        leftovers.check(rejects, file)
    account, kept = Account(file, dry_run), None
    with heedless(aside=as_json or rejects == STDOUT) as stdout:
        try:
            choices = printing.choices(keep_apart, as_it_is=as_it_is)
            source = _examine(account, feed or "", Chosen(**columns))
            place = rejects or (None if dry_run else beside(file))
            kept = Leftovers(source.file, place, stdout)
            with kept, Watcher(source.file, account, kept) as watcher:
                bring(source, watcher, account, choices, tolerate)
            code = endings.tell(account, kept, tolerate)
        except (KeyboardInterrupt, IdentityError, OSError) as problem:
            code = endings.tell_broken_off(problem, account, kept)
    if as_json:
        endings.print_json(account.as_json(kept, code), stdout)
    sys.exit(code)


def _examine(account: Account, feed: str, chosen: Chosen) -> Source:
    """Return the file as it is to be read, and tell how; raise `InvalidInput`."""
    region, file = current.config().default_phone_region, account.file
    customers = examine(file.name, _opened(file), chosen)
    source = Source(customers, chosen.region or region, feed)
    describing.describe(source)
    if exporting.wrote(customers.header):
        click.echo(OURS, err=True)
    account.source, account.rows = source.name, customers.count
    account.overlooked = customers.columns.overlooked
    return source


def _opened(file: Path) -> Opened:
    # Closing it would leave nothing to ask with.
    return spool.kept(sys.stdin.buffer).open if file == STDIN else partial(io.FileIO, file)
