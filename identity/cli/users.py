"""Users of the pages: `flask identity user`."""

import click
from flask.cli import AppGroup

from identity import access
from identity.access import Role

user = AppGroup("user", help="Users, who may sign in to the pages.")
password_option = click.option(
    "--password",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="Asked for when absent.",
)
ROLES = click.Choice([role.value for role in Role])


@user.command("create")
@click.argument("name")
@password_option
@click.option(
    "--role",
    type=ROLES,
    default=Role.STEWARD.value,
    show_default=True,
    help="What they may do: look; rule, import and export; or say who may, and see who did.",
)
def create_user(name: str, password: str, role: str) -> None:
    """Let somebody sign in. Their name is the source of what they submit."""
    access.create_user(name, password, Role(role))


@user.command("password")
@click.argument("name")
@password_option
def change_password(name: str, password: str) -> None:
    """Give somebody another password, and sign them out."""
    access.change_password(name, password)


@user.command("role")
@click.argument("name")
@click.argument("role", type=ROLES)
def change_role(name: str, role: str) -> None:
    """Give somebody another role, at once."""
    access.change_role(name, Role(role))


@user.command("sign-out")
@click.argument("name")
def sign_out(name: str) -> None:
    """End all sessions of somebody, at once; of staff, whoever has the shared password."""
    access.end_sessions_of(name)


@user.command("remove")
@click.argument("name")
def remove_user(name: str) -> None:
    """Let somebody sign in no more, and end their sessions."""
    access.remove_user(name)


@user.command("list")
def list_users() -> None:
    """List those who may sign in, and what they may do."""
    for each in access.users_by_name():
        click.echo(f"{each.name}\t{each.role}\t{each.created_at:%Y-%m-%d}")
