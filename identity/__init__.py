"""Identity: link the contacts of one customer by shared email or phone number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask, Response
from flask.cli import AppGroup

from identity import cli, database, forgetting, private
from identity.config import Config
from identity.once import kept_secret
from identity.web import current, log, reporting

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = "db"


class Identity(Flask):
    """The application."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view as it is. None is async, and asking each one takes a tenth of a call."""
        return func

    def full_dispatch_request(self) -> Response:
        """Answer a request; a quick one in the time that is promised, whatever it reads first."""
        if not getattr(current.view(), "quick", False):
            return super().full_dispatch_request()
        # Who asks is read from the database too, and would have patience of its own.
        with database.within(database.PATIENCE):
            return super().full_dispatch_request()


class Found(AppGroup):
    """The commands that `flask` finds here: `identity`, and `db` once somebody asks for it."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app.name)
        self._app = app
        self.add_command(cli.identity)

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all."""
        return sorted({*super().list_commands(context), MIGRATIONS})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command."""
        if name == MIGRATIONS:
            _migrate(self._app)
        return super().get_command(context, name)


def create_app(config: Config | None = None, *, answering: bool = True) -> Flask:
    """Return the application; without `config`, with the environment's settings.

    One that is not `answering` has everything but views: for commands, which need none.
    """
    config = config or Config.from_environment()
    app = Identity(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    _settle(app, config)
    app.cli = Found(app)
    if answering:
        # Loading all views takes longer than most commands do.
        from identity.web import answering as web

        web.begin(app, config)
        _migrate(app)
    return app


def _settle(app: Flask, config: Config) -> None:
    """Give the app its settings, its log and its database."""
    app.config.update(
        IDENTITY=config,
        SECRET_KEY=config.secret_key or kept_secret(Path(app.instance_path)),
    )
    log.begin(at_once=config.frozen)
    if config.sentry_dsn:
        reporting.begin(config.sentry_dsn)
    if config.open:
        app.logger.warning("IDENTITY_OPEN is set: everybody who can reach this service may ask it.")
    database.configure(app, config)
    with app.app_context():
        forgetting.configure(config, Path(app.instance_path))
    for path in private.guard(Path(app.instance_path), config.database_url):
        app.logger.warning("%s is not for its owner only: others may read it.", path)


def _migrate(app: Flask) -> None:
    """Let the app's database be migrated, by `flask db` too."""
    # Alembic takes as long to load as all that most commands need.
    from flask_migrate import Migrate

    Migrate(app, database.db, directory=str(ROOT / "migrations"), command=MIGRATIONS)
