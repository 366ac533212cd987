"""What stands before every view: proxies, who is asking, bodies, forms, other sites, headers."""

from flask import Flask, Response, request
from flask_cors import CORS
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.middleware.proxy_fix import ProxyFix

from identity.access import LASTS
from identity.config import Config
from identity.web import auth, bodies, sessions
from identity.web.old_forms import ask_again

SHARED = r"/(identify|identify/batch|lookup|clusters/.*\.json)$"
"""What scripts of other sites may use, when `IDENTITY_ORIGINS` names them."""
HARDENING = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
}
ALLOWED_HEADERS = ["Authorization", "Content-Type"]
csrf = CSRFProtect()


def secure(app: Flask, config: Config) -> None:
    """Let nobody do through the app what they may not."""
    app.config.update(
        MAX_CONTENT_LENGTH=bodies.LARGEST,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="identity",
        PERMANENT_SESSION_LIFETIME=LASTS,
        # It ends so long after it began, used or not.
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = sessions.Sessions()
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_host=1)  # type: ignore[method-assign]
    # In this order: of whoever may not ask, no view and no form reads anything.
    app.before_request(auth.admit)
    app.before_request(bodies.allow_larger)
    csrf.init_app(app)
    app.register_error_handler(CSRFError, ask_again)
    if config.origins:
        CORS(app, resources=SHARED, origins=list(config.origins), allow_headers=ALLOWED_HEADERS)
    app.after_request(_harden)


def _harden(response: Response) -> Response:
    headers = response.headers
    headers.extend(HARDENING)
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint != "static":
        # Answers are about people, and no cache between is to keep them.
        headers.setdefault("Cache-Control", "no-store")
    return response
