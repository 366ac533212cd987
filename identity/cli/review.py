"""What looks wrong, for the terminal: `flask identity review`."""

import click
from flask.cli import with_appcontext

from identity import database
from identity.counting import counted
from identity.reviewing import country_codes, findings, joints, sweeping, values
from identity.reviewing.findings import Kind, Noted
from identity.web import current

SHOWN = 5
"""Findings of each kind on the screen."""
NAMES = {
    Kind.FILLER: "values that look like nobody's",
    Kind.SHARED: "values shared by many",
    Kind.BRIDGE: "customers that one link holds together",
    Kind.LARGE_MERGE: "large merges",
    Kind.HELD_AGAIN: "kept apart, and tried again",
    Kind.COUNTRY_CODE: "phone numbers equal but for the country code",
}
BEHIND = "Somebody has been writing for long: what was told in the last moments is looked at later."


@click.command()
@click.option("--again", is_flag=True, help="Begin with the first claim, and not where it ended.")
@with_appcontext
def review(*, again: bool) -> None:
    """Look at all that was told and not looked at yet, and list what looks wrong.

    The service does so by itself, a few seconds after it was told something.
    """
    if again:
        sweeping.again()
    if not _sweep_all():
        click.echo(BEHIND, err=True)
    with database.by_index() as connection:
        counts = findings.counts(connection)
        for kind, number in counts.items():
            click.echo(f"  {number:>12,}  {NAMES[kind]}")
            for kept in findings.largest(connection, kind)[:SHOWN]:
                click.echo(f"{'':16}{_told(kept)}")


def _sweep_all() -> bool:
    """Look at all that was told; tell whether all of it could be looked at."""
    many = current.config().many_strangers
    # Workers of the service may be at it as well, and be quicker now and then.
    while (swept := sweeping.sweep(many)).overtaken:
        pass
    return swept.finished


def _told(kept: Noted) -> str:
    match kept.kind:
        case Kind.FILLER | Kind.SHARED:
            return f"{values.named(kept.subject).text}: {kept.many:,} people"
        case Kind.BRIDGE:
            sides = (kept.detail[name]["contacts"] for name in ("email_side", "phone_side"))
            apart = " and ".join(counted(side, "contact") for side in sides)
            return f"{' and '.join(joints.named(kept.subject))}: {apart} without it"
        case Kind.LARGE_MERGE:
            return f"{counted(kept.many, 'contact')} from customer {kept.detail['absorbed']}"
        case Kind.HELD_AGAIN:
            return f"ruling {kept.subject}: {counted(kept.many, 'time')}"
    numbers = " and ".join(country_codes.named(kept.subject))
    return f"{numbers}: customers {' and '.join(map(str, kept.detail['customers']))}"
