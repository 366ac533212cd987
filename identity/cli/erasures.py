"""Forgetting: `flask identity erase` and `erasures`.

What is erased cannot be brought back, so what was shown is what is done, and nothing else.
"""

import json
from contextlib import suppress
from typing import Any

import click
from flask.cli import with_appcontext

from identity.cli import holding, typed
from identity.cli.rulings import BY, changing, show
from identity.counting import counted
from identity.erasing import applying, clearing, register
from identity.erasing.plans import COUNTED, Plan
from identity.erasing.reach import Wanted
from identity.erasing.register import Registered
from identity.errors import Conflict, IdentityError, InvalidInput
from identity.models import LARGEST_ID
from identity.rulings import orders
from identity.rulings.applying import Ordered

WAITING = "Free space of the database still holds what was erased: "
LATER = (
    "Not yet: others are reading from the file, or another role owns the tables. Try again later, "
    "or as the owner."
)
UNKNOWN = "Check the spelling: whoever has these will not be taken in"
WHICH = "Name emails and phone numbers, or --customer and the id of a contact."


@click.command()
@click.argument("values", nargs=-1, metavar="VALUE...")
@click.option("--customer", type=click.IntRange(1, LARGEST_ID), metavar="ID", help="All of one.")
@click.option("--json", "as_json", is_flag=True, help="Print plans and erasures as JSON.")
@changing
@with_appcontext
def erase(values: tuple[str, ...], customer: int | None, as_json: bool, **how: Any) -> None:
    """Forget a person, named by emails and phone numbers, or by the id of a contact.

    Everything on record that names them goes, in every table, and so do files that wait to be
    imported and mention them. It cannot be undone.
    """
    if bool(values) == (customer is not None):
        raise click.UsageError(WHICH)
    named = frozenset(map(typed.identifier, values))
    _do(Wanted(named, customer), as_json=as_json, **how)


def _do(wanted: Wanted, *, as_json: bool, yes: bool, dry_run: bool, reason: str | None) -> None:
    try:
        reason = orders.reason(reason)
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None
    planned: Plan | None = None
    while True:
        if dry_run or not yes:
            planned = applying.plan(wanted)
            _show(planned, "would change", as_json=as_json)
        if dry_run:
            click.echo("Nothing was changed.", err=as_json)
            return
        if not yes:
            click.confirm("Erase all this? It cannot be undone.", abort=True, err=as_json)
        try:
            ordered = Ordered(BY, reason, planned.fingerprint if planned else None)
            registered, done = applying.erase(wanted, ordered)
            registered = _cleared(registered)
            break
        except Conflict as problem:
            if "plan" not in problem.told:
                raise
            click.echo(problem, err=as_json)
    if as_json:
        _print(registered.as_json() | {"plan": done.as_json()})
        return
    if yes:
        _show(done, "changed", as_json=False)
    click.echo(f"Erasure {registered.id} is applied.")
    if registered.cleared_at is None:
        click.echo(f"{WAITING}`flask identity erasures --clear` gives it back.", err=True)


def _cleared(registered: Registered) -> Registered:
    """Give back the space of an erasure, if that was not done with it and can be."""
    if registered.cleared_at is None:
        # It is done, whatever happens now.
        with suppress(IdentityError):
            clearing.clear()
            return register.get(registered.id)
    return registered


@click.group(invoke_without_command=True)
@click.option("--before", type=click.IntRange(0), metavar="ERASURE", help="Only older ones.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON, one a line.")
@click.option("--clear", is_flag=True, help="Give back the space of what was erased, if it waits.")
@click.pass_context
@with_appcontext
def erasures(context: click.Context, before: int | None, *, as_json: bool, clear: bool) -> None:
    """List erasures, the newest first; and look after what they need to hold."""
    if context.invoked_subcommand:
        return
    if clear and not clearing.clear(clearing.PATIENCE):
        raise Conflict(LATER)
    found, more = register.latest(before and min(before, LARGEST_ID))
    for each in found:
        click.echo(json.dumps(each.as_json()) if as_json else _line(each))
    if more and not as_json:
        click.echo(f"There are older ones: flask identity erasures --before {found[-1].id}")


for command in holding.COMMANDS:
    erasures.add_command(command)


def _show(plan: Plan, changes: str, *, as_json: bool) -> None:
    """Print what is on record, and how customers change."""
    if as_json:
        _print(plan.as_json())
        return
    click.echo(f"On record: {_counts(plan.counts) or f'nothing. {UNKNOWN}'}.")
    if plan.sources:
        click.echo(f"Told by: {', '.join(plan.sources)}.")
    for each in plan.waiting:
        click.echo(f"Thrown away whole: import {each.id}, which waits.")
    click.echo(f"What goes: {', '.join(value.text for value in sorted(plan.values)[:20])}")
    if len(plan.values) > 20:
        click.echo(f"  ... and {counted(len(plan.values) - 20, 'more identifier')}")
    show(plan.changes, changes)


def _counts(counts: dict[str, int]) -> str:
    told = ((counts.get(name), called) for name, called in COUNTED.items())
    return ", ".join(counted(number, called.one, called.many) for number, called in told if number)


def _line(each: Registered) -> str:
    said = each.said
    because = " ".join((said.reason or "").split())
    state = str(each.standing)
    if each.lifted:
        state += f" by {each.lifted.by}"
        if each.holds:
            state += f": {counted(each.holds, 'identifier')} still not taken in"
    if each.cleared_at is None:
        state += "; its space is not given back yet"
    if each.tries:
        state += (
            f"; brought again {counted(each.tries, 'time')}, last {each.last_tried_at:%Y-%m-%d}"
        )
    who = f"{said.by}, {said.at:%Y-%m-%d %H:%M} UTC" + (f": {because}" if because else "")
    return "\t".join([str(each.id), _counts(each.counts), who, state])


def _print(told: dict[str, Any]) -> None:
    click.echo(json.dumps(told, ensure_ascii=False))
