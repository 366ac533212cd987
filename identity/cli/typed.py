"""What is typed on the command line about customers, and how customers are printed there."""

from collections.abc import Mapping
from typing import Any

import click

from identity.errors import InvalidInput
from identity.identifiers import Value, parse_one
from identity.importing.countries import region_named
from identity.importing.dates import ORDERS
from identity.web import current

VALUES = 3
"""Emails and phone numbers of one customer on the screen."""


def identifier(typed: str) -> Value:
    """Return the email or phone number that was typed; exit with 2 when it is none."""
    try:
        return parse_one(typed, region())
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None


def region() -> str | None:
    """Return the country by which phone numbers without a country code are read."""
    config = current.config()
    return str(config.default_phone_region) if config.default_phone_region else None


def customer(told: Mapping[str, Any]) -> str:
    """Return a customer in a few words, from the object that is published of it."""
    id_, values = told["primaryContactId"], [*told["emails"], *told["phoneNumbers"]]
    more = f" and {len(values) - VALUES:,} more" if len(values) > VALUES else ""
    name = "a new customer" if id_ is None else f"customer {id_}"
    return f"{name} ({', '.join(values[:VALUES])}{more})"


def _region(_: click.Context, __: click.Parameter, given: str) -> str:
    try:
        return region_named(given) or ""
    except InvalidInput as problem:
        raise click.BadParameter(str(problem)) from None


def _dates(_: click.Context, __: click.Parameter, given: str | None) -> str:
    return given or ""


REGION = click.option(
    "--region",
    default="",
    metavar="COUNTRY",
    callback=_region,
    help="Of phone numbers in rows without a country, as in DE.",
)
DATES = click.option(
    "--date-format",
    "dates",
    type=click.Choice(ORDERS),
    callback=_dates,
    help="What comes first in 03/04/2024, where the file does not tell.",
)
