"""Webhooks: `flask identity webhook`."""

import sys

import click
from flask.cli import AppGroup

from identity import database
from identity.cli import exits
from identity.models import MessageState
from identity.web import current
from identity.webhooks import addresses, attempting, listing, register, standing
from identity.webhooks.register import KINDS
from identity.webhooks.standing import Hook

webhook = AppGroup("webhook", help="Webhooks: other systems hear of what happens to customers.")
WHERE = click.argument("webhook_id", type=click.IntRange(1), metavar="WEBHOOK")
ONCE = "Keep it: it is shown this once, and cannot be shown again."


@webhook.command("add")
@click.argument("url")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Only hear of this, repeatable; of everything unless said otherwise.",
)
def add(url: str, kinds: tuple[str, ...]) -> None:
    """Send what happens from now on to an address, and print its number and its secret, once."""
    made, secret = register.add(url, kinds, addresses.rules(current.config()), current.secret_key())
    click.echo(f"{made}\t{secret}")
    click.echo(f"The webhook's number, and its secret. {ONCE}", err=True)


@webhook.command("list")
def list_webhooks() -> None:
    """List the webhooks: number, address, kinds of changes, state, and how many messages wait.

    The address goes last: it may hold anything.
    """
    for each in database.read(standing.listed):
        many = database.read(lambda c, each=each: listing.counts(c, each.id))  # type: ignore[misc]
        waiting, failed = many[MessageState.WAITING], many[MessageState.FAILED]
        kinds = " ".join(sorted(each.kinds)) if each.kinds else "everything"
        click.echo(
            f"{each.id}\t{state(each)}\t{waiting} waiting\t{failed} failed\t{kinds}\t{each.url}"
        )


@webhook.command("remove")
@WHERE
def remove(webhook_id: int) -> None:
    """Send a webhook nothing any more. What was delivered stays on record."""
    register.remove(webhook_id)


@webhook.command("rotate")
@WHERE
@click.option("--at-once", is_flag=True, help="Let the old secret be good for nothing at once.")
def rotate(webhook_id: int, *, at_once: bool) -> None:
    """Give a webhook another secret and print it, once. For a day both are good."""
    click.echo(register.rotate(webhook_id, current.secret_key(), at_once=at_once))
    click.echo(ONCE, err=True)


@webhook.command("enable")
@WHERE
@click.option("--from-now", is_flag=True, help="Do not send what happened meanwhile, or waits.")
def enable(webhook_id: int, *, from_now: bool) -> None:
    """Send a webhook messages again, of what happened meanwhile too.

    Not when some of that is kept no more: then only with --from-now.
    """
    register.enable(webhook_id, from_now=from_now)


@webhook.command("disable")
@WHERE
def disable(webhook_id: int) -> None:
    """Send a webhook nothing until it is enabled.

    It is told then what happened meanwhile, as far as RETAIN_HISTORY keeps it.
    """
    register.disable(webhook_id)


@webhook.command("test")
@WHERE
def test(webhook_id: int) -> None:
    """Send a test now, and say what came of it. Exits with 1 when it did not succeed."""
    rules, key = addresses.rules(current.config()), current.secret_key()
    outcome = attempting.send_now(listing.send_test(webhook_id), key, rules)
    if outcome is None:
        click.echo("Somebody else is sending it.")
    elif outcome.succeeded:
        click.echo(f"The receiver answered {outcome.status}, in {outcome.ms} ms.")
    else:
        click.echo(outcome.problem)
        sys.exit(exits.DOUBTS)


@webhook.command("deliveries")
@WHERE
@click.option(
    "--state",
    "state_",
    type=click.Choice([each.value for each in MessageState]),
    help="Only messages that are so far.",
)
@click.option("--before", type=int, metavar="MESSAGE", help="Only messages older than this one.")
def deliveries(webhook_id: int, state_: str | None, before: int | None) -> None:
    """List a webhook's messages, the newest first, and below each the tries to deliver it.

    Its columns are the message's number, id, kind, customer, state and next try.
    """
    database.read(lambda connection: standing.get(connection, webhook_id))
    wanted = MessageState(state_) if state_ else None
    found, more = database.read(lambda c: listing.page(c, webhook_id, wanted, before))
    for each in found:
        customer = "-" if each.customer_id is None else each.customer_id
        next_at = f"{each.next_at:%Y-%m-%dT%H:%M:%SZ}" if each.next_at else "-"
        told = each.id, each.ident, each.kind, customer, each.state, next_at
        click.echo("\t".join(map(str, told)))
        for one in each.deliveries:
            came = one.problem or f"Delivered: {one.status}."
            click.echo(f"\t{one.at:%Y-%m-%dT%H:%M:%SZ}\t{one.ms} ms\t{came}")
    if more:
        click.echo(f"Older ones: --before {found[-1].id}", err=True)


@webhook.command("resend")
@click.argument("message_id", type=click.IntRange(1), metavar="MESSAGE")
def resend(message_id: int) -> None:
    """Let a message be sent again, under the same id, by the process that delivers."""
    listing.send_again(message_id)


def state(hook: Hook) -> str:
    """Return how a webhook does, in a word or a sentence."""
    if hook.disabled_at:
        return f"disabled: {hook.disabled_why}"
    if hook.failing_since:
        return f"failing since {hook.failing_since:%Y-%m-%dT%H:%M:%SZ}"
    return "in use"
