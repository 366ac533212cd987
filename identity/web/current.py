"""The app and the request at hand: the settings by which it is answered, and its view."""

from typing import TYPE_CHECKING

from flask import current_app, request

from identity.config import Config

if TYPE_CHECKING:
    # Commands ask for settings here, and nobody counts their calls.
    from identity.web.limits import Limiter


def config() -> Config:
    """Return the settings of the app."""
    settings: Config = current_app.config["IDENTITY"]
    return settings


def secret_key() -> str:
    """Return the secret of the service."""
    return str(current_app.config["SECRET_KEY"])


def limiter() -> "Limiter":
    """Return what counts the calls to the app."""
    limiter: Limiter = current_app.config["LIMITER"]
    return limiter


def view() -> object:
    """Return the view that was asked for, with its marks; None where there is nothing."""
    return current_app.view_functions.get(request.endpoint or "")


def route() -> str:
    """Return the pattern of the address that was asked for, which names nobody."""
    rule = request.url_rule
    return rule.rule if rule else "none"
