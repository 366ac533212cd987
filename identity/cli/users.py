"""Users of the pages: `flask identity user`."""

import click
from flask.cli import AppGroup

from identity import access

user = AppGroup("user", help="Users, who may sign in to the pages.")
password_option = click.option(
    "--password",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="Asked for when absent.",
)


@user.command("create")
@click.argument("name")
@password_option
def create_user(name: str, password: str) -> None:
    """Let somebody sign in. Their name is the source of what they submit."""
    access.create_user(name, password)


@user.command("password")
@click.argument("name")
@password_option
def change_password(name: str, password: str) -> None:
    """Give somebody another password, and sign them out."""
    access.change_password(name, password)


@user.command("remove")
@click.argument("name")
def remove_user(name: str) -> None:
    """Let somebody sign in no more, within five seconds on every worker."""
    access.remove_user(name)


@user.command("list")
def list_users() -> None:
    """List those who may sign in."""
    for name in access.users():
        click.echo(name)
