"""Keys for programs: `flask identity key`."""

import click
from flask.cli import AppGroup

from identity import access
from identity.access import Scope

key = AppGroup("key", help="API keys, for programs.")


@key.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What the key is good for, repeatable; identify unless said otherwise.",
)
def create_key(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key and print it, once. Its name is the source of what it brings."""
    token = access.create_key(name, set(map(Scope, scopes or ("identify",))))
    click.echo(token)
    click.echo("Keep it: only its hash is stored, and it cannot be shown again.", err=True)


@key.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """Revoke a key, within five seconds on every worker."""
    access.revoke_key(name)


@key.command("list")
def list_keys() -> None:
    """List all keys, revoked ones too."""
    for each in access.all_keys():
        state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "in use"
        scopes = " ".join(sorted(each.scopes))
        click.echo(f"{each.name}\t{scopes}\t{each.created_at:%Y-%m-%d}\t{state}")
