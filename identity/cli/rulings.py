"""Rulings: `flask identity apart`, `links-nobody`, `withdraw`, `rulings` and `undo`.

Each that changes something shows its plan and asks; what was shown is what is done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from identity.cli import typed
from identity.cli.progress import Progress
from identity.counting import counted
from identity.errors import Conflict, InvalidInput, Unavailable
from identity.models import LARGEST_ID
from identity.rulings import applying, kinds, orders, register
from identity.rulings.applying import Ordered, Watch
from identity.rulings.kinds import Unnamed, What
from identity.rulings.plans import Plan
from identity.rulings.register import Registered

BY = "the command line"
CHANGES, SIDE = 10, 5
"""Changes on the screen, and customers before and after in each."""
Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be done: a ruling, or a withdrawal of one."""

    plan: Callable[[Watch], Plan]
    carry_out: Callable[[Ordered, Watch], tuple[Registered, Plan]]
    count: Callable[[], int]
    """How many claims it has to reach."""


def changing(command: Command) -> Command:
    """Give a command the options of all that change something."""
    for option in (
        click.option("--reason", metavar="TEXT", help="Why, for whoever reads it later."),
        click.option("--dry-run", is_flag=True, help="Show the plan and change nothing."),
        click.option("--yes", is_flag=True, help="Do not plan and ask; say what was changed."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("one")
@click.argument("other")
@changing
@with_appcontext
def apart(one: str, other: str, **how: Any) -> None:
    """Keep two identifiers apart: never the same customer's."""
    named = {"one": one, "other": other}
    _rule({"kind": "apart"} | {name: _reference(each) for name, each in named.items()}, **how)


@click.command("links-nobody")
@click.argument("value")
@changing
@with_appcontext
def links_nobody(value: str, **how: Any) -> None:
    """Let a value link nobody: the shop's own phone number, a test address."""
    _rule({"kind": "links_nobody", "value": _reference(value)}, **how)


withdraw = AppGroup("withdraw", help="Let something that was told count as not told.")


@withdraw.command("import")
@click.argument("import_id", metavar="IMPORT", type=click.IntRange(1, LARGEST_ID))
@changing
def withdraw_import(import_id: int, **how: Any) -> None:
    """Withdraw what an import was the first of its source to tell."""
    click.echo("Importing the same file again tells all of it anew.", err=True)
    _rule({"kind": "withdrawn", "import": import_id}, **how)


@withdraw.command("source")
@click.argument("name")
@click.option("--since", required=True, metavar="MOMENT", help="Such as 2026-05-01T09:58:12Z.")
@click.option("--until", required=True, metavar="MOMENT", help="Likewise, and itself not within.")
@changing
def withdraw_source(name: str, since: str, until: str, **how: Any) -> None:
    """Withdraw what a source told in a window of time: a key, a user, feed:shopify."""
    _rule({"kind": "withdrawn", "source": name, "since": since, "until": until}, **how)


@withdraw.command("claim")
@click.argument("email")
@click.argument("phone")
@click.option("--source", metavar="NAME", help="Told by whom; by anybody when absent.")
@changing
def withdraw_claim(email: str, phone: str, source: str | None, **how: Any) -> None:
    """Withdraw exactly that pair; - for the one of the two that was not given."""
    told = {"email": email, "phoneNumber": phone, "source": source}
    given = {name: value for name, value in told.items() if value not in (None, "", "-")}
    _rule({"kind": "withdrawn"} | given, **how)


@click.command()
@click.option("--before", type=click.IntRange(0), metavar="RULING", help="Only older ones.")
@with_appcontext
def rulings(before: int | None) -> None:
    """List rulings, the newest first."""
    found, more = register.latest(before and min(before, LARGEST_ID))
    for each in found:
        click.echo("\t".join([str(each.id), _named(each.what), _said(each.said), _state(each)]))
    if more:
        click.echo(f"There are older ones: flask identity rulings --before {found[-1].id}")


@click.command()
@click.argument("ruling", type=click.IntRange(0, LARGEST_ID))
@changing
@with_appcontext
def undo(ruling: int, **how: Any) -> None:
    """Withdraw a ruling: undo what it does."""
    work = Work(
        lambda watch: applying.plan_withdrawal(ruling, watch),
        lambda ordered, watch: applying.withdraw(ruling, ordered, watch),
        lambda: applying.count_withdrawal(ruling),
    )
    _do(work, "withdrawn", **how)


def _reference(identifier: str) -> dict[str, str]:
    return kinds.reference(typed.identifier(identifier))


def _rule(given: Mapping[str, Any], **how: Any) -> None:
    try:
        what = kinds.parse(given, typed.region())
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None
    work = Work(
        lambda watch: applying.plan(what, watch),
        lambda ordered, watch: applying.rule(what, ordered, watch),
        lambda: applying.count(what),
    )
    _do(work, "applied", **how)


def _do(work: Work, done: str, *, yes: bool, dry_run: bool, reason: str | None) -> None:
    """Plan, ask, and do as planned; or only one of these."""
    try:
        reason = orders.reason(reason)
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None
    planned = None
    while True:
        if dry_run or not yes:
            with Progress(work.count(), "claims") as progress:
                planned = work.plan(progress.read)
            show(planned, "would change")
        if dry_run:
            click.echo("Nothing was changed.")
            return
        if not yes:
            click.confirm("Do this?", abort=True)
        try:
            fingerprint = planned.fingerprint if planned else None
            registered, plan = _carry_out(work, Ordered(BY, reason, fingerprint))
            break
        except Conflict as problem:
            if "plan" not in problem.told:
                raise
            click.echo(problem)
    if yes:
        show(plan, "changed")
    click.echo(f"Ruling {registered.id} is {done}.")


def _carry_out(work: Work, ordered: Ordered) -> tuple[Registered, Plan]:
    try:
        with Progress(work.count(), "claims") as progress:
            return work.carry_out(ordered, progress.read)
    except Unavailable as problem:
        raise Unavailable(f"{problem} Say the same again to do the rest.") from problem
    except KeyboardInterrupt:
        click.echo("What was begun stands. Say the same again to do the rest.", err=True)
        raise


def show(plan: Plan, changes: str) -> None:
    """Print how many customers change, and the first of them: before and after."""
    told = plan.as_json()
    if not told["changes"]:
        click.echo(f"This {changes} no customer.")
        return
    before, after = (
        f"{counted(told['customers'][when], 'customer')} of "
        f"{counted(told['contacts'][when], 'contact')}"
        for when in ("before", "after")
    )
    click.echo(f"This {changes} {before} into {after}:")
    for change in told["changes"][:CHANGES]:
        for mark, side in (("-", change["before"]), ("+", change["after"])):
            for each in side[:SIDE]:
                click.echo(f"  {mark} {typed.customer(each)}")
            if len(side) > SIDE:
                click.echo(f"  {mark} ... and more")
        click.echo()
    left = len(told["changes"]) - CHANGES + told["more"]
    if left > 0:
        click.echo(f"  ... and {counted(left, 'more change')}")


def _named(what: What) -> str:
    if isinstance(what, Unnamed):
        return f"{what.kind.value}: what it named was forgotten"
    named = what.named()
    told = [
        ", ".join(map(str, value.values())) if isinstance(value, dict) else f"{name} {value}"
        for name, value in named.items()
    ]
    return f"{what.kind.value}: {', '.join(told)}"


def _said(said: register.Said) -> str:
    because = " ".join((said.reason or "").split())
    return f"{said.by}, {said.at:%Y-%m-%d %H:%M} UTC" + (f": {because}" if because else "")


def _state(registered: Registered) -> str:
    withdrawn = registered.withdrawn
    state = f"withdrawn by {_said(withdrawn)}" if withdrawn else "stands"
    # Whoever says it again goes on with it, and finds out which of the two it is.
    return state if registered.done is None else f"{state}; goes on, or was broken off"
