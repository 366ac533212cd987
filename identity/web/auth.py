"""Who is asking, and whether they may. Every view says who it is for; a test asks each of them.

Nothing configured means this machine only. A key or a sign-in makes a caller somebody, and
what they bring names them as its source.
"""

import hmac
import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeVar

from flask import Flask, Request, Response, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue

from identity import access
from identity.access import ENVIRONMENT_KEY, ENVIRONMENT_USER, Scope
from identity.config import Config
from identity.errors import Forbidden, Unauthenticated
from identity.web.limits import MISS, REFUSED, Limiter

HERE = {"localhost", "127.0.0.1", "[::1]"}
FORWARDED = (
    *("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"),
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST"),
)
ONLY_HERE = (
    "This service answers on this machine only, as localhost or 127.0.0.1. To let others in, set "
    "IDENTITY_API_KEY for programs and IDENTITY_PASSWORD for people."
)
View = TypeVar("View", bound=Callable[..., object])


class May(Enum):
    """Who may use a view."""

    ANYONE = "anyone"
    VISITOR = "whoever is not refused outright"
    IDENTIFY = "keys that identify or resolve"
    READ = "keys that identify or read, and users who signed in"
    METRICS = "keys that read, and a configured address"
    USER = "users who signed in"


SCOPES = {
    May.IDENTIFY: {Scope.IDENTIFY, Scope.RESOLVE},
    May.READ: {Scope.IDENTIFY, Scope.READ},
    May.METRICS: {Scope.READ},
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever is asking."""

    name: str | None
    """What their contacts, links and events name as the source; None for the way they came."""
    scopes: frozenset[Scope] = frozenset()
    is_user: bool = False
    is_key: bool = False

    def may(self, what: May) -> bool:
        """Tell whether they may use a view."""
        if what in (May.ANYONE, May.VISITOR):
            return True
        if self.is_user and what is not May.METRICS:
            return True
        return bool(self.scopes & SCOPES.get(what, set()))


EVERYTHING = Caller(None, frozenset({Scope.IDENTIFY, Scope.READ}), is_user=True)
NOBODY = Caller(None)


def allow(may: May) -> Callable[[View], View]:
    """Say who may use a view."""

    def mark(view: View) -> View:
        view.may = may  # type: ignore[attr-defined]
        return view

    return mark


def source(otherwise: str) -> str:
    """Return who is telling us: the key's name, the user's, or the way it came."""
    caller: Caller = g.caller
    return caller.name or otherwise


def masked() -> bool:
    """Tell whether the caller may join customers and not read them."""
    caller: Caller = g.caller
    return Scope.IDENTIFY not in caller.scopes and not caller.is_user


def check() -> ResponseReturnValue | None:
    """Find out who is asking and refuse whoever may not. Called before each request."""
    view = current_app.view_functions.get(request.endpoint or "")
    may: May = getattr(view, "may", May.ANYONE)
    g.caller = NOBODY
    if may is May.ANYONE or request.method == "OPTIONS":
        return None
    config: Config = current_app.config["IDENTITY"]
    caller = g.caller = _caller(config)
    _hit(config, caller, 1)
    if caller.may(may) or (may is May.METRICS and _may_measure(config)):
        return None
    if caller.is_key:
        raise Forbidden("This key has no scope for that.")
    if may is May.USER and request.method in ("GET", "HEAD"):
        return redirect(url_for("web.sign_in", to=request.path), 303)
    raise Unauthenticated(_how(may))


def count_miss() -> None:
    """Count a look-up that found nothing, which is what guessing looks like."""
    # It was counted once already, as a call.
    _hit(current_app.config["IDENTITY"], g.caller, MISS - 1)


def neighbourhood() -> str:
    """Return whose guesses are counted together: an IPv4 address, or an IPv6 network.

    With IPv6 each subscriber has 2**64 addresses to come from.
    """
    return _neighbourhood(request.remote_addr or "")


def sign_in(name: str, password: str) -> bool:
    """Begin a session when the password is right; tell whether it was."""
    config: Config = current_app.config["IDENTITY"]
    if name:
        signed_in = access.is_password_of(name, password)
    else:
        signed_in = config.password is not None and hmac.compare_digest(
            password.encode(), config.password.encode()
        )
    if signed_in:
        # Whatever a stranger may have put into the cookie before is not to be signed in.
        session.clear()
        session.permanent = True
        session.update(name=name, proof=_proof(name, config))
    return signed_in


def _proof(name: str, config: Config) -> str:
    """Return what a session must know: it ends with the password it began with."""
    secret = access.password_hash(name) if name else config.password
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"{name}\n{secret}".encode(), "sha256").hex() if secret else ""


def _caller(config: Config) -> Caller:
    environ = request.environ
    if "HTTP_AUTHORIZATION" in environ:
        return _with_key(config)
    if "HTTP_COOKIE" in environ and session.get("proof"):
        name = str(session.get("name", ""))
        if hmac.compare_digest(str(session["proof"]), _proof(name, config)):
            return Caller(name or ENVIRONMENT_USER, is_user=True)
    if config.open:
        return EVERYTHING
    if config.api_key or config.password or access.anybody():
        return NOBODY
    if _from_here():
        return EVERYTHING
    raise Forbidden(ONLY_HERE)


def _with_key(config: Config) -> Caller:
    token = request.authorization.token if request.authorization else None
    if request.authorization and request.authorization.type == "bearer" and token:
        if config.api_key and hmac.compare_digest(token.encode(), config.api_key.encode()):
            return Caller(ENVIRONMENT_KEY, frozenset({Scope.IDENTIFY, Scope.READ}), is_key=True)
        key = access.key_of(token)
        if key:
            return Caller(key.name, key.scopes, is_key=True)
    _hit(config, NOBODY, REFUSED)
    raise Unauthenticated("This key is not known, or was revoked.")


def _from_here() -> bool:
    """Tell whether somebody on this machine asks, and not through a proxy on this machine."""
    environ = request.environ
    # A page elsewhere may give its own name this machine's address, and then read our answers in
    # a visitor's browser. Asked by any other name than these, we refuse.
    name = re.sub(r":\d+$", "", environ.get("HTTP_HOST", ""))
    return (
        _is_loopback(environ.get("REMOTE_ADDR", ""))
        and name in HERE
        and not any(header in environ for header in FORWARDED)
    )


@lru_cache(1000)
def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


@lru_cache(1000)
def _neighbourhood(address: str) -> str:
    # Some proxies name the port too.
    for spelling in address, address.rpartition(":")[0].strip("[]"):
        with suppress(ValueError):
            parsed = ipaddress.ip_address(spelling)
            if isinstance(parsed, ipaddress.IPv4Address):
                return str(parsed)
            return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _may_measure(config: Config) -> bool:
    # Over a socket in the file system nobody has an address; that must not equal having none set.
    return config.metrics_from is not None and request.remote_addr == config.metrics_from


def _how(may: May) -> str:
    if may is May.USER:
        return "Sign in first."
    return "Send an API key, with the header Authorization: Bearer KEY."


def _hit(config: Config, caller: Caller, cost: int) -> None:
    if caller is EVERYTHING and not config.open:
        # On this machine only, there is nobody to guard against.
        return
    limiter: Limiter = current_app.config["LIMITER"]
    if caller.is_key:
        limiter.count(config.key_limit, f"key:{caller.name}", cost)
    elif caller.is_user and caller.name:
        # Apart from strangers who come from the same address, and would lock them out.
        limiter.count(config.address_limit, f"user:{neighbourhood()}:{caller.name}", cost)
    else:
        limiter.count(config.address_limit, f"address:{neighbourhood()}", cost)


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
