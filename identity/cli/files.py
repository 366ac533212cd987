"""Files of customers: `flask identity import` and `flask identity export`."""

import gc
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Self

import click
from flask import current_app
from flask.cli import with_appcontext

from identity import exporting
from identity.cli.progress import Progress
from identity.errors import InvalidInput, Unavailable
from identity.exporting import What
from identity.importing import imports, records
from identity.importing.account import Account
from identity.importing.columns import Chosen
from identity.importing.files import CustomerFile, examine
from identity.importing.imports import Given
from identity.importing.rejects import Rejects

SHOWN = 10
"""Customers that would merge, and rejected rows, on the screen."""
REJECTED, UNUSABLE, BROKEN_OFF = 1, 2, 3
"""What the command exits with when some rows, or the whole file, could not be used, and when
the database went away half-way."""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say exactly what would happen, and write nothing.")
@click.option("--email", multiple=True, metavar="COLUMN", help="The column with emails.")
@click.option("--phone", multiple=True, metavar="COLUMN", help="With phone numbers; repeatable.")
@click.option("--created-at", multiple=True, metavar="COLUMN", help="With the date of each row.")
@click.option("--country", multiple=True, metavar="COLUMN", help="With each row's country.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write the rows that cannot be used, by default beside the file.",
)
@with_appcontext
def import_file(file: Path, *, dry_run: bool, rejects: Path | None, **columns: Any) -> None:
    """Import customers from a CSV file.

    Exports of Shopify, WooCommerce, Stripe, HubSpot, Mailchimp and Klaviyo are recognised by
    the names of their columns, and so is any file with a column for emails or phone numbers.
    Exits with 1 when some rows could not be used, with 2 when the file could not and nothing
    was written, and with 3 when the database went away half-way.
    """
    try:
        customers = examine(file.name, partial(io.FileIO, file), Chosen(**columns))
    except InvalidInput as problem:
        click.echo(f"{file}: {problem}", err=True)
        sys.exit(UNUSABLE)
    _describe(customers)
    given = Given(customers, current_app.config["IDENTITY"].default_phone_region, ahead=True)
    if not dry_run:
        rejects = rejects or file.with_name(f"{file.stem}.rejects.csv")
    with _Watcher(customers, rejects) as watcher:
        account = imports.rehearse(given, watcher) if dry_run else _carry_out(given, watcher)
    _tell(account, dry_run=dry_run)
    if account.rejected and rejects:
        click.echo(f"The rejected rows are in {rejects}: mend them there and import that file.")
    sys.exit(REJECTED if account.rejected else 0)


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

    def rejected(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Keep a row that cannot be used."""
        self._rejects.add(line, reason, cells)


def _carry_out(given: Given, watcher: _Watcher) -> Account:
    import_id = records.give(given.file.name, "the command line")
    click.echo(f"  source     {records.source(import_id)}")
    try:
        return imports.carry_out(given, watcher, import_id)
    except Unavailable as problem:
        raise Unavailable(f"{problem} Import the file again to do the rest.") from problem


def _describe(given: CustomerFile) -> None:
    columns = given.columns
    click.echo(f"{given.name}: {given}")
    for label, found in (
        ("email", [columns.email] if columns.email else []),
        ("phone", columns.phones),
        ("created at", columns.created_at),
        ("country", columns.country),
    ):
        click.echo(f"  {label:10} {', '.join(column.name for column in found) or '-'}")


def _tell(account: Account, *, dry_run: bool) -> None:
    click.echo("This would happen; nothing was written:" if dry_run else "Done:")
    for label, number in (
        ("rows read", account.rows),
        ("new customers", account.customers),
        ("contacts added", account.contacts),
        ("new links", account.links),
        ("customers merged into others", account.merged),
        ("customers with an older primary", account.overtaken),
        ("rows with nothing new", account.repeats),
        ("rows rejected", account.rejected),
    ):
        click.echo(f"  {number:>12,}  {label}")
    unions = account.unions()
    for union in unions[:SHOWN]:
        stays = f"{union.primary} stays" if union.primary else "an older contact of the file stays"
        listed = ", ".join(map(str, union.members))
        click.echo(f"  customers {listed} {'would be' if dry_run else 'are now'} one; {stays}")
    if len(unions) > SHOWN:
        click.echo(f"  ... and {len(unions) - SHOWN:,} more such groups")
    for reject in account.rejects[:SHOWN]:
        click.echo(f"  line {reject.line}: {reject.reason}")


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--contacts", is_flag=True, help="One row a contact, with its primary.")
@with_appcontext
def export_file(file: Path, *, contacts: bool) -> None:
    """Export all customers to a CSV file, one row each; to the terminal or a pipe with -."""
    what = What.CONTACTS if contacts else What.CUSTOMERS
    try:
        with _whole(file) as out, Progress(exporting.count(what)) as progress:
            for part in exporting.parts(what):
                out.write(part)
                progress.read(part.count(b"\r\n"))
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
