"""Sessions of users: how one begins, what it proves, and the cookie that carries it."""

import hmac

from flask import Flask, Request, Response, current_app, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from identity import access
from identity.access import ENVIRONMENT_USER
from identity.web import current

SECONDS = 12 * 60 * 60
"""How long a session lasts."""


def begin(name: str, password: str) -> bool:
    """Begin a session when the password is right; tell whether it was."""
    shared = current.config().password
    if name:
        right = access.is_password_of(name, password)
    else:
        right = shared is not None and hmac.compare_digest(password.encode(), shared.encode())
    if right:
        # Whatever a stranger may have put into the cookie before is not to be signed in.
        session.clear()
        session.permanent = True
        session.update(name=name, proof=_proof(name))
    return right


def user() -> str | None:
    """Return the name of the user whose session this is; None when it proves nothing."""
    if "HTTP_COOKIE" not in request.environ or not session.get("proof"):
        return None
    name = str(session.get("name", ""))
    if not hmac.compare_digest(str(session["proof"]), _proof(name)):
        return None
    return name or ENVIRONMENT_USER


def _proof(name: str) -> str:
    """Return what a session must know: it ends with the password it began with."""
    secret = access.password_hash(name) if name else current.config().password
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"{name}\n{secret}".encode(), "sha256").hex() if secret else ""


class Sessions(SecureCookieSessionInterface):
    """Signed cookies, for https only where the service is reached by https."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; without one, spare programs the making ready for it."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie, if anybody looked at it or changed it."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)

    def get_cookie_secure(self, app: object) -> bool:
        """Tell whether the browser may send the cookie over https only."""
        return request.is_secure
