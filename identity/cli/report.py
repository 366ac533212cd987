"""What duplicates cost, for the terminal: `flask identity report`."""

import io
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from identity import auditing
from identity.auditing import COMMAND_LINE, Deed
from identity.cli import exits, figures, typed
from identity.cli.progress import Progress
from identity.duplicates import making, spending, words
from identity.duplicates.figures import count
from identity.duplicates.kept import Kind
from identity.errors import InvalidInput
from identity.importing.files import CustomerFile, examine


@click.command()
@click.option(
    "--orders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Shopify's export of orders, for what customers spent; repeatable.",
)
@typed.REGION
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON, and only that.")
@with_appcontext
def report(*, orders: Sequence[Path], region: str, as_json: bool) -> None:
    """Say what duplicates cost: how many records are how many people, and what that changes.

    Counts what is on record, and writes nothing but the figures, for the page Report. With
    --orders it reads what customers spent, and ranks them as separate records and as the people
    they are. No order is stored. Import the orders before, so that it is known who ordered.

    Behind each figure stand ids of customers, the first ones; up to 1,000 of them with --json.

    Exits with 1 when some orders could not be understood, and with 2 when a file could not.
    """
    auditing.note(Deed.REPORT_MADE, COMMAND_LINE)
    # Before anything is counted: a file that cannot be read is said at once.
    files = [_examined(path) for path in orders]
    counted = making.make(Kind.CUSTOMERS, COMMAND_LINE, count)
    spent = _spent(files, region or typed.region()) if files else None
    code = exits.DOUBTS if spent and spent["doubts"] else exits.DONE
    if as_json:
        said = {"definitions": words.definitions(orders=bool(spent)), "exit": code}
        click.echo(json.dumps({"customers": counted, "orders": spent} | said))
    else:
        figures.tell_customers(counted)
        if spent:
            figures.tell_orders(spent)
        figures.tell_definitions(orders=bool(spent))
    sys.exit(code)


def _examined(path: Path) -> CustomerFile:
    try:
        return examine(path.name, partial(io.FileIO, path))
    except InvalidInput as problem:
        # There may be several files.
        raise InvalidInput(f"{path.name}: {problem}") from None


def _spent(files: Sequence[CustomerFile], region: str | None) -> dict[str, Any]:
    with Progress(sum(file.count for file in files), "orders") as progress:
        return making.make(
            Kind.ORDERS, COMMAND_LINE, lambda: spending.add_up(files, region, progress.read)
        )
