"""All that is on record about one person, for the terminal: `flask identity access`."""

import json
from typing import Any

import click
from flask.cli import with_appcontext

from identity import auditing, database, disclosing, explaining, forgetting
from identity.auditing import COMMAND_LINE, Deed
from identity.cli import typed
from identity.errors import NotFound
from identity.identifiers import Value
from identity.models import LARGEST_ID
from identity.portraying import membership
from identity.web.api import records

NOBODY = "Nobody has it now, and nothing is kept of whoever had it but what the ledger tells."
ERASED = "Nobody has it now. It was erased, and is not taken in again while that stands."


@click.command()
@click.argument("value", required=False)
@click.option("--customer", type=click.IntRange(1, LARGEST_ID), metavar="ID", help="By its id.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
@with_appcontext
def access(*, value: str | None, customer: int | None, as_json: bool) -> None:
    """Tell all that is on record about whoever has an email or a phone number.

    Where it came from, what was decided, and who was told. That it was looked at is put on record.
    """
    if (value is None) == (customer is None):
        raise click.UsageError("Give an email or a phone number, or --customer ID.")
    found = _by_value(typed.identifier(value)) if value is not None else _by_id(customer or 0)
    auditing.note(Deed.ACCESS_GIVEN, COMMAND_LINE, found)
    if as_json:
        for part in records.as_json(found):
            click.echo(part, nl=False)
        return
    click.echo(f"Customer {found}")
    with database.lookups() as connection:
        section = ""
        for item in disclosing.everything(connection, found):
            name = records.SECTIONS.get(type(item), "contacts")
            if name != section:
                click.echo(f"{name}:")
                section = name
            click.echo(f"  {_words(records.told(item))}")
    for sentence in records.NOT_KNOWN:
        click.echo(f"Not known from here: {sentence}")


def _words(told: dict[str, Any]) -> str:
    """Return what was told of one thing in a line, without what is not given."""
    return ", ".join(
        f"{name} {_said(each)}" for name, each in told.items() if each not in (None, [])
    )


def _said(each: Any) -> str:
    if isinstance(each, dict):
        return f"({_words(each)})"
    if isinstance(each, list):
        return " ".join(map(_said, each))
    return each if isinstance(each, str) else json.dumps(each)


def _by_value(value: Value) -> int:
    with database.lookups() as connection:
        found = explaining.primaries_of(connection, [value]).get(value)
        if found is None:
            told = ERASED if value in forgetting.remembered(connection, [value]) else NOBODY
            raise NotFound(told)
    return found


def _by_id(contact_id: int) -> int:
    found = database.read(lambda connection: membership.head(connection, contact_id))
    if found is None:
        raise NotFound(f"There is no contact {contact_id}, or it ceased.")
    return found[0].id
