"""Identity: link the contacts of one customer by shared email or phone number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask_cors import CORS
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.middleware.proxy_fix import ProxyFix

from identity import cli, database, web
from identity.config import Config, kept_secret
from identity.web import auth, observing, telling
from identity.web.api import identify
from identity.web.auth import Sessions
from identity.web.errors import answer_every_error
from identity.web.imports import allow_files
from identity.web.limits import Limiter, shared_file
from identity.web.pages import form_too_old
from identity.web.presenters import ago

ROOT = Path(__file__).resolve().parent.parent
LARGEST_BODY = 256 * 1024
"""In bytes. The largest honest request is under one kilobyte."""
SESSION_SECONDS = 12 * 60 * 60
SHARED = r"/(identify|lookup|clusters/.*\.json)"
"""What scripts of other sites may use, when `IDENTITY_ORIGINS` names them."""
HARDENING = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
ALLOWED_HEADERS = ["Authorization", "Content-Type"]


class Identity(Flask):
    """The application."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view as it is. None is async, and asking each one takes a tenth of a call."""
        return func


def create_app(config: Config | None = None) -> Flask:
    """Return the application; without `config`, with the environment's settings."""
    config = config or Config.from_environment()
    app = Identity(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    app.config.update(
        SECRET_KEY=config.secret_key or kept_secret(Path(app.instance_path)),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="identity",
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        IDENTITY=config,
        LIMITER=Limiter(shared_file(config.database_url)),
    )
    app.session_interface = Sessions()
    # What it redirected to would be on the host that the caller named.
    app.url_map.merge_slashes = False
    # The contract's order of keys, not the alphabet's.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    database.configure(app, config)
    Migrate(app, database.db, directory=str(ROOT / "migrations"))
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_host=1)  # type: ignore[method-assign]
    observing.observe(app, config)
    app.before_request(auth.check)
    app.before_request(allow_files)
    csrf = CSRFProtect(app)
    # A page of another site cannot send JSON here without asking first, and has no cookie to send.
    csrf.exempt(identify)
    app.register_error_handler(CSRFError, form_too_old)
    app.register_blueprint(web.blueprint)
    app.cli.add_command(cli.identity)
    app.add_template_filter(ago)
    app.add_template_filter(telling.sentence, "told")
    answer_every_error(app)
    if config.origins:
        CORS(app, resources=SHARED, origins=list(config.origins), allow_headers=ALLOWED_HEADERS)
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    headers = response.headers
    headers.extend(HARDENING)
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        # Answers are about people, and no cache between is to keep them.
        headers.setdefault("Cache-Control", "no-store")
    return response
