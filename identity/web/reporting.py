"""Faults of ours, sent to Sentry where that is configured, without anything of customers."""

from typing import Any

import sentry_sdk
from flask import g

from identity.web import current


def begin(dsn: str, transport: sentry_sdk.Transport | None = None) -> None:
    """Begin to send faults to Sentry: where they happened, and nothing of whom it was about."""
    sentry_sdk.init(
        dsn,
        transport=transport,
        default_integrations=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=_without_messages,
    )


def report(fault: Exception) -> None:
    """Send a fault to Sentry, if that is configured."""
    sentry_sdk.capture_exception(fault)
    if current.config().frozen:
        # What is sent in the background would wait for the next request.
        sentry_sdk.flush(2)


def _without_messages(event: Any, _: object) -> Any:
    # Messages of errors quote what was sent.
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = ""
    event["tags"] = {"request_id": g.get("request_id"), "route": current.route()}
    return event
