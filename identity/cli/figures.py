"""What duplicates cost, as it is printed: each figure with the customers behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from identity.counting import counted
from identity.duplicates import words
from identity.duplicates.figures import LARGEST, behind
from identity.duplicates.orders import LeftOut
from identity.duplicates.ranking import AGAIN, BUYERS
from identity.duplicates.records import EMAILS_OF, KNOWN, SEVERAL, SHARED, TWICE, WITHIN
from identity.duplicates.words import money, share

IDS = 10
"""Customers of one figure on the screen."""
SOURCES = 20
"""Sources, and pairs of them, on the screen."""


def tell_customers(told: Mapping[str, Any]) -> None:
    """Print what is on record: records, people, emails and sources."""
    all_of_it = told["spread"]
    many, people = all_of_it["many"], all_of_it["people"]
    click.echo("Records and people")
    _line(many, f"records are {counted(people, 'person', 'people')}")
    _line(many - people, f"are duplicates ({share(many - people, many)})")
    _line(all_of_it["several"], "people have several records", behind(told, SEVERAL))
    for number, each in all_of_it["spread"]:
        more = " or more" if number == LARGEST else ""
        _line(each, f"have {number}{more}")
    emails = told["emails"]
    twice = emails["many"] - emails["people"]
    click.echo("Emails")
    _line(emails["many"], f"emails are those of {counted(emails['people'], 'person', 'people')}")
    _line(twice, f"are sent twice ({share(twice, emails['many'])})", behind(told, EMAILS_OF))
    _tell_sources(told)


def _tell_sources(told: Mapping[str, Any]) -> None:
    click.echo("Sources")
    for each in told["sources"][:SOURCES]:
        source, people = each["source"], counted(each["people"], "person", "people")
        click.echo(f"  {source}: {counted(each['records'], 'record')} of {people}")
        _line(each["within"], "twice by itself", behind(told, WITHIN, source))
        _line(each["known"], "known already", behind(told, KNOWN, source))
        if each["emails"]:
            _line(each["twice"], f"of {each['emails']:,} emails sent twice",
                  behind(told, TWICE, source))  # fmt: skip
    _tell_more(told["sources"], told["more_sources"], "sources")
    if told["pairs"]:
        click.echo("Told of by both")
    for each in told["pairs"][:SOURCES]:
        both = each["one"], each["other"]
        _line(each["people"], " and ".join(both), behind(told, SHARED, *both))
    _tell_more(told["pairs"], told["more_pairs"], "pairs")


def tell_orders(told: Mapping[str, Any]) -> None:
    """Print what the orders come to."""
    click.echo(f"Orders of {', '.join(each['name'] for each in told['files'])}")
    for why, number in told["left_out"].items():
        _line(number, f"not counted: {words.WHY[LeftOut(why)]}")
    for doubt in told["doubts"]:
        _line(doubt["orders"], f"not understood: {doubt['reason']}")
        click.echo(f"{'':16}line {', '.join(map(str, doubt['lines']))}")
    for each in told["currencies"]:
        _tell_currency(each, told)
    if not told["currencies"]:
        click.echo("  No order counts.")


def _tell_currency(told: Mapping[str, Any], orders: Mapping[str, Any]) -> None:
    currency, records, people = told["currency"], told["records"], told["people"]
    click.echo(f"{currency}: {money(told['amount'])} in {counted(told['orders'], 'order')}")
    nobodys = told["nobodys"]
    if nobodys["orders"]:
        _line(nobodys["orders"], f"are nobody's: {money(nobodys['amount'])}")
    buyers = counted(people["many"], "person", "people")
    _line(records["many"], f"records bought; they are {buyers}")
    if told["strangers"]:
        _line(told["strangers"], "of them are not on record: import the orders to join them")
    _line(told["several"], "people bought as several records", behind(orders, BUYERS, currency))
    _line(records["again"], f"records came back ({share(records['again'], records['many'])})")
    _line(people["again"], f"people came back ({share(people['again'], people['many'])})")
    _line(told["again"], "of them came back as another record", behind(orders, AGAIN, currency))
    for best in told["best"]:
        bought = counted(best["orders"], "order")
        who = f"customer {best['customer']}" if best["customer"] else "not on record"
        click.echo(
            f"  {words.place(best['place']):>8}  {who}: {money(best['amount'])} in {bought};"
            f" as separate records: {words.places(best)}"
        )


def tell_definitions(*, orders: bool) -> None:
    """Print what the words mean."""
    click.echo("Definitions")
    for definition in words.definitions(orders=orders):
        click.echo(click.wrap_text(definition, 96, "  ", "  "))


def _line(number: int, what: str, ids: Sequence[int] | None = None) -> None:
    listed = ", ".join(map(str, (ids or ())[:IDS]))
    more = ", ..." if ids and len(ids) > IDS else ""
    click.echo(f"  {number:>12,}  {what}{': customer ' if ids else ''}{listed}{more}")


def _tell_more(shown: Sequence[Any], more: int, what: str) -> None:
    if more := max(0, len(shown) - SOURCES) + more:
        click.echo(f"  ... and {more:,} more {what}")
