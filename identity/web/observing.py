"""What is told of every request: a line in the log, and counts. Never an identifier.

The address that was asked for holds ids and, in a query, emails and phone numbers: what is told
is the route, and who asked by the name of their key.
"""

import json
import logging
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any

import sentry_sdk
from flask import Flask, Response, g, request
from flask.logging import wsgi_errors_stream

from identity.web import metrics

QUIET = {"static", "web.health", "web.ready", "web.metrics_page"}
"""Not worth a line each time: machines ask for these all day."""
lines = logging.getLogger("identity.requests")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record, with what it carries in `told`."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower()}
        told = getattr(record, "told", None)
        return json.dumps(line | (told if told is not None else {"message": record.getMessage()}))


class PlainLines(logging.Formatter):
    """One readable line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as somebody at a terminal reads it."""
        told = getattr(record, "told", None)
        if told is None:
            return record.getMessage()
        return f"{told['status']} {told['method']} {told['route']} {told['ms']} ms"


def observe(app: Flask) -> None:
    """Tell of every request to the app."""
    app.before_request(_begin)
    app.after_request(_end)
    metrics.watch_pools(app)


def write_log() -> None:
    """Write the log to stderr: as JSON, unless somebody is looking."""
    root = logging.getLogger("identity")
    if not root.handlers:
        handler = logging.StreamHandler(wsgi_errors_stream)  # type: ignore[call-overload]
        handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
        root.addHandler(handler)
        root.setLevel(logging.INFO)


def report_faults(dsn: str, transport: sentry_sdk.Transport | None = None) -> None:
    """Send faults of ours to Sentry: where they happened, and nothing of whom it was about."""
    sentry_sdk.init(
        dsn,
        transport=transport,
        default_integrations=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=_without_messages,
    )


def _without_messages(event: Any, _: object) -> Any:
    # Messages of errors quote what was sent.
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = ""
    event["tags"] = {"request_id": g.get("request_id"), "route": _route()}
    return event


def _begin() -> None:
    g.begun = time.perf_counter()
    g.request_id = secrets.token_hex(8)


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.begun
    route, status = _route(), response.status_code
    response.headers["X-Request-Id"] = g.request_id
    metrics.REQUESTS.labels(request.method, route, status).inc()
    metrics.SECONDS.labels(route).observe(seconds)
    if request.endpoint not in QUIET or status >= 400:
        told = {
            "request_id": g.request_id,
            "method": request.method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "source": g.caller.name if "caller" in g else None,
            "decision": g.get("decision"),
        }
        lines.info("", extra={"told": told})
    return response


def _route() -> str:
    return request.url_rule.rule if request.url_rule else "none"
