"""Who is asking, and whether they may. Every view says who it is for; a test asks each of them.

Nothing configured means this machine only. A key or a sign-in makes a caller somebody, and
what they bring names them as its source.
"""

import hmac
import ipaddress
import re
from functools import lru_cache

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from identity import access
from identity.access import ENVIRONMENT_KEY, Scope
from identity.config import Config
from identity.errors import Forbidden, Unauthenticated
from identity.web import charging, current, sessions, watching
from identity.web.callers import EVERYTHING, NOBODY, Caller
from identity.web.marks import PEOPLE, May

HERE = {"localhost", "127.0.0.1", "[::1]"}
FORWARDED = (
    *("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_FORWARDED", "HTTP_X_ORIGINAL", "HTTP_X_REAL_IP"),
    *("HTTP_X_CLIENT_IP", "HTTP_CLIENT_IP", "HTTP_TRUE_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP"),
    *("HTTP_CF_", "HTTP_CDN_", "HTTP_FASTLY_", "HTTP_FLY_", "HTTP_X_AMZN_", "HTTP_X_AMZ_CF_"),
    *("HTTP_X_AZURE_", "HTTP_X_APPENGINE_", "HTTP_X_CLOUD_TRACE_", "HTTP_X_ENVOY_"),
    *("HTTP_DO_CONNECTING_IP", "HTTP_AKAMAI_", "HTTP_X_AKAMAI_", "HTTP_INCAP_CLIENT_IP"),
    *("HTTP_X_SCHEME", "HTTP_X_URL_SCHEME", "HTTP_FRONT_END_HTTPS", "HTTP_X_PROXY", "HTTP_X_SSL_"),
    *("HTTP_X_HOST", "HTTP_X_REWRITE_URL", "HTTP_X_REMOTE_", "HTTP_X_BLUECOAT_VIA", "HTTP_X_VIA"),
)
"""How the headers begin by which a proxy gives itself away."""
ONLY_HERE = (
    "This service answers on this machine only, as localhost or 127.0.0.1. To let others in, set "
    "IDENTITY_API_KEY for programs and IDENTITY_PASSWORD for people."
)


def admit() -> ResponseReturnValue | None:
    """Find out who is asking and refuse whoever may not. Called before each request."""
    may: May = getattr(current.view(), "may", May.ANYONE)
    g.caller = NOBODY
    if may is May.ANYONE or request.method == "OPTIONS":
        return None
    config = current.config()
    caller = g.caller = _caller(config)
    charging.charge(caller)
    if caller.may(may) or (may is May.METRICS and _may_measure(config)):
        watching.watch()
        return None
    caller.check(may)
    if may in PEOPLE and request.method in ("GET", "HEAD"):
        return redirect(url_for("web.sign_in", to=request.path), 303)
    raise Unauthenticated(_how(may))


def _caller(config: Config) -> Caller:
    if "HTTP_AUTHORIZATION" in request.environ:
        return _with_key(config)
    if user := sessions.user():
        return Caller(name=user[0], role=user[1])
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
    charging.charge_wrong_key()
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
        and not any(name.startswith(FORWARDED) for name in environ)
    )


@lru_cache(1000)
def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _may_measure(config: Config) -> bool:
    # Over a socket in the file system nobody has an address; that must not equal having none set.
    return config.metrics_from is not None and request.remote_addr == config.metrics_from


def _how(may: May) -> str:
    if may in PEOPLE:
        return "Sign in first."
    return "Send an API key, with the header Authorization: Bearer KEY."
