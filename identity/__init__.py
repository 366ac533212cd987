"""Identity: link the contacts of one customer by shared email or phone number."""

from pathlib import Path

from flask import Flask, Response
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError

from identity import cli, database, web
from identity.config import Config, kept_secret
from identity.web.api import identify
from identity.web.errors import answer_every_error
from identity.web.imports import allow_files
from identity.web.pages import form_too_old
from identity.web.presenters import ago

ROOT = Path(__file__).resolve().parent.parent
LARGEST_BODY = 256 * 1024
"""In bytes. The largest honest request is under one kilobyte."""


def create_app(config: Config | None = None) -> Flask:
    """Return the application; without `config`, with the environment's settings."""
    config = config or Config.from_environment()
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    app.config.update(
        SECRET_KEY=config.secret_key or kept_secret(Path(app.instance_path)),
        DEFAULT_PHONE_REGION=config.default_phone_region,
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        SESSION_COOKIE_SAMESITE="Lax",
        # A page elsewhere may give its own name this machine's address, and then read our answers
        # in a visitor's browser. Asked by any other name than these, we refuse.
        TRUSTED_HOSTS=["localhost", "127.0.0.1"],
    )
    # The contract's order of keys, not the alphabet's.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    database.configure(app, config)
    Migrate(app, database.db, directory=str(ROOT / "migrations"))
    app.before_request(allow_files)
    csrf = CSRFProtect(app)
    # A page of another site cannot send JSON here without asking first, and we never say yes.
    csrf.exempt(identify)
    app.register_error_handler(CSRFError, form_too_old)
    app.register_blueprint(web.blueprint)
    app.cli.add_command(cli.identity)
    app.add_template_filter(ago)
    answer_every_error(app)
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Content-Security-Policy"] = (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return response
