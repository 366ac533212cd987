"""Sessions of users: how one begins, what it proves, how it ends, and the cookie of it."""

import hmac

from flask import Flask, Request, Response, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from identity import access
from identity.access import ENVIRONMENT_USER, Session
from identity.roles import Role
from identity.web import current

TOKEN, PROOF = "id", "proof"


def is_right(name: str, password: str) -> bool:
    """Tell whether a password is right; without a name, the one that the environment gives."""
    if name:
        return access.is_password_of(name, password)
    shared = current.config().password
    return shared is not None and hmac.compare_digest(password.encode(), shared.encode())


def begin(name: str, came_from: str) -> None:
    """Begin a session of somebody whose password is right."""
    # Whatever a stranger may have put into the cookie before is not to be signed in.
    end()
    token = access.begin_session(name or ENVIRONMENT_USER, came_from)
    session.permanent = True
    # The name is for the version before, which may still answer some of the requests.
    session.update({TOKEN: token, "name": name, PROOF: _proof(name, _secret(name))})


def end() -> None:
    """End the session at hand, for every copy of its cookie."""
    if token := session.get(TOKEN):
        access.end_session(str(token))
    session.clear()


def user() -> tuple[str, Role] | None:
    """Return whose session this is and what they may do; None when it proves nothing."""
    if "HTTP_COOKIE" not in request.environ or not session.get(PROOF) or not session.get(TOKEN):
        return None
    found = access.session_of(str(session[TOKEN]))
    if found is None or not hmac.compare_digest(str(session[PROOF]), _proof_of(found)):
        return None
    return found.name, found.role or Role(current.config().password_role)


def _proof_of(found: Session) -> str:
    """Return what a session must know: it ends with the password it began with."""
    if found.name == ENVIRONMENT_USER:
        return _proof("", current.config().password)
    return _proof(found.name, found.password_hash)


def _secret(name: str) -> str | None:
    return access.password_hash_of(name) if name else current.config().password


def _proof(name: str, secret: str | None) -> str:
    key = current.secret_key().encode()
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

    def get_cookie_name(self, app: Flask) -> str:
        """Return what it is called: over https, so that no other site can have set it."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if request.is_secure else name

    def get_cookie_secure(self, app: object) -> bool:
        """Tell whether the browser may send the cookie over https only."""
        return request.is_secure
