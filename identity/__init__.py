"""Identity: link the contacts of one customer by shared email or phone number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response
from flask_migrate import Migrate

from identity import cli, database, forgetting, private, web
from identity.config import Config
from identity.once import kept_secret
from identity.web import callers, current, observing
from identity.web.counters import shared_file
from identity.web.errors import answer_every_error
from identity.web.limits import Limiter
from identity.web.pages import telling, wording
from identity.web.security import secure

ROOT = Path(__file__).resolve().parent.parent


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


def create_app(config: Config | None = None) -> Flask:
    """Return the application; without `config`, with the environment's settings."""
    config = config or Config.from_environment()
    app = Identity(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    _settle(app, config)
    # First, so that every request has an id and a line, refused ones too.
    observing.observe(app, config)
    secure(app, config)
    _serve(app)
    return app


def _settle(app: Flask, config: Config) -> None:
    """Give the app its settings and its database."""
    app.config.update(
        IDENTITY=config,
        SECRET_KEY=config.secret_key or kept_secret(Path(app.instance_path)),
        LIMITER=Limiter(shared_file(config.database_url)),
    )
    database.configure(app, config)
    with app.app_context():
        forgetting.configure(config, Path(app.instance_path))
    for path in private.guard(Path(app.instance_path), config.database_url):
        app.logger.warning("%s is not for its owner only: others may read it.", path)
    Migrate(app, database.db, directory=str(ROOT / "migrations"))


def _serve(app: Flask) -> None:
    """Let the app answer: views, errors, commands."""
    # What it redirected to would be on the host that the caller named.
    app.url_map.merge_slashes = False
    # The contract's order of keys, not the alphabet's.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(web.blueprint)
    wording.teach(app)
    app.add_template_filter(telling.sentence, "told")
    app.add_template_filter(telling.imported)
    for asked in callers.may_use, callers.may_follow, callers.signed_in:
        app.add_template_global(asked)
    answer_every_error(app)
    app.cli.add_command(cli.identity)
