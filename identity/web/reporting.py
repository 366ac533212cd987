"""Faults of ours, sent to Sentry where that is configured, without anything of customers.

Its library is loaded where it is needed: few have it configured, and it takes as long as Flask.
"""

from typing import TYPE_CHECKING, Any

from flask import g

from identity.web import current

if TYPE_CHECKING:
    from sentry_sdk import Transport


def begin(dsn: str, transport: "Transport | None" = None) -> None:
    """Begin to send faults to Sentry: where they happened, and nothing of whom it was about."""
    import sentry_sdk

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
    import sentry_sdk

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
