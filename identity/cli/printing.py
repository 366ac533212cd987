"""What an import would do and did, as it is printed: strangers, merges and figures."""

from collections.abc import Iterable, Sequence

import click

from identity import clusters, database
from identity.caution.choosing import Choices
from identity.caution.planning import Merge, Plan, identifiers_of
from identity.caution.suspects import Suspect
from identity.cli import describing
from identity.cli.typed import VALUES
from identity.counting import counted
from identity.deciding import Call
from identity.identifiers import Value
from identity.importing.tally import Tally
from identity.rulings.kinds import LinksNobody
from identity.rulings.register import Registered

SHOWN = 10
"""Values, customers who would become one and rejected rows, on the screen."""


def choices(keep_apart: Iterable[str], *, as_it_is: bool) -> Choices:
    """Return what the options say; exit with 2 when a customer of them is not there."""
    return Choices(as_it_is=as_it_is, apart=tuple(map(_group, keep_apart)))


def _group(typed: str) -> tuple[Value, ...]:
    ids = [part.strip() for part in typed.split(",")]
    if len(ids) < 2 or not all(part.isdecimal() for part in ids):
        raise click.UsageError("--keep-apart takes the ids of customers, such as 1,2.")
    found = {int(id_): _customer(int(id_)) for id_ in ids}
    for id_, customer in found.items():
        if customer is None:
            raise click.UsageError(f"There is no customer {id_}.")
    group = identifiers_of({each.primary_id: each for each in found.values() if each}.values())
    if len(group) < 2:
        raise click.UsageError(f"{typed} are not different customers, who could be kept apart.")
    return group


def _customer(id_: int) -> clusters.Cluster | None:
    return database.read(lambda connection: clusters.with_contact(connection, id_))


def _tell_plan(plan: Plan) -> None:
    """Print what strangers share and what each choice leads to, and who would become one."""
    if plan.found.suspects:
        _tell_suspects(plan)
    merges = plan.merges(SHOWN)
    if merges:
        click.echo("Known customers would become one:")
    for merge in merges:
        _tell_merge(merge)


def _tell_suspects(plan: Plan) -> None:
    click.echo("Strangers share:")
    for suspect in plan.found.suspects[:SHOWN]:
        click.echo(f"  {suspect}: {_effect(suspect, plan.choices)}")
        if suspect.looks:
            click.echo(f"    {suspect.looks}")
    _tell_more(len(plan.found.suspects) + plan.found.more, "values")
    if plan.found.more:
        click.echo(f"  Of these, {plan.found.more:,} would link: so many are not ruled at once.")
    if plan.otherwise is not None:
        before, after = plan.split
        if before:
            click.echo(
                f"  {counted(before, 'known customer')} would be taken apart into {after:,}."
            )
        click.echo(
            f"  So there would be {_than_now(plan.more)} than now; "
            f"as it is (--as-it-is), {_than_now(plan.more_otherwise)}."
        )


def _than_now(more: int) -> str:
    return f"{counted(abs(more), 'customer')} {'fewer' if more < 0 else 'more'}"


def _effect(suspect: Suspect, chosen: Choices) -> str:
    if chosen.links_nobody(suspect):
        return "all would be one customer, so it would link nobody"
    if suspect.undone is not None and not chosen.as_it_is:
        return f"all would be one customer; ruling {suspect.undone} against it was undone"
    return "all would be one customer"


def tell_rulings(ruled: Sequence[Registered]) -> None:
    """Print what an import ruled before its first row."""
    for registered in ruled[:SHOWN]:
        what = registered.what
        named = what.value.text if isinstance(what, LinksNobody) else "the customers left out"
        does = "links nobody" if isinstance(what, LinksNobody) else "are kept apart"
        because = f": {registered.said.reason}" if isinstance(what, LinksNobody) else ""
        click.echo(f"  {named} {does} by ruling {registered.id}{because}")
    _tell_more(len(ruled), "rulings")
    if ruled:
        click.echo("  Each can be taken back: flask identity undo RULING")


def _tell_merge(merge: Merge) -> None:
    """Print who would become one, and how that is left out."""
    for customer in merge.customers:
        values = [value.text for value in customer.values()]
        more = f" and {len(values) - VALUES:,} more" if len(values) > VALUES else ""
        click.echo(f"  customer {customer.primary_id} ({', '.join(values[:VALUES])}{more})")
    _tell_joins(merge.joins)
    if merge.may_be_left_out:
        listed = ",".join(map(str, merge.union.members))
        click.echo(f"    to leave them as they are: --keep-apart {listed}")


def _tell_joins(joins: Iterable[Call]) -> None:
    """Print the rows that join customers."""
    for call in joins:
        values = " and ".join(value.text for value in call.values())
        click.echo(f"    because of line {call.line}: {values}")


def _tell_more(number: int, noun: str) -> None:
    if number > SHOWN:
        click.echo(f"  ... and {number - SHOWN:,} more {noun}")


def tell(tally: Tally, plan: Plan | None) -> None:
    """Print what happened or, with its plan, what would."""
    if plan:
        _tell_plan(plan)
    click.echo("This would happen; nothing was written:" if plan else "Done:")
    for label, number in (
        ("rows read", tally.rows),
        ("new customers", tally.customers),
        ("contacts added", tally.contacts),
        ("new links", tally.links),
        ("claims that the source had not told yet", tally.claims),
        ("customers merged into others", tally.merged),
        ("customers with an older primary", tally.overtaken),
        ("rows held: a ruling keeps them apart", tally.held),
        ("rows with nothing new", tally.repeats),
        ("rows used in part", tally.doubtful),
        ("rows rejected", tally.rejected),
        *([("rows with erased people, not imported", tally.erased)] if tally.erased else []),
    ):
        click.echo(f"  {number:>12,}  {label}")
    unions = tally.unions()
    for union in unions[:SHOWN]:
        stays = f"{union.primary} stays" if union.primary else "an older contact of the file stays"
        listed = ", ".join(map(str, union.members))
        click.echo(f"  customers {listed} {'would be' if plan else 'are now'} one; {stays}")
        _tell_joins(union.joins)
    if len(unions) > SHOWN:
        click.echo(f"  ... and {len(unions) - SHOWN:,} more such groups")
    describing.tell_doubts(tally)
