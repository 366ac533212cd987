"""What is told of every request: a line in the log, and counts. Never an identifier.

The address that was asked for holds ids and, in a query, emails and phone numbers: what is told
is the route, and who asked by the name of their key.
"""

import logging
import random
import time
from typing import Any

from flask import Flask, Response, g, request

from identity.web import current, metrics

METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}
lines = logging.getLogger("identity.requests")


def observe(app: Flask) -> None:
    """Tell of every request to the app."""
    app.before_request(_begin)
    app.after_request(_end)
    metrics.watch_pools(app)


def _begin() -> None:
    g.begun = time.perf_counter()
    g.request_id = f"{random.getrandbits(64):016x}"


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.begun
    # Whoever asks may invent methods, and each would be counted for ever.
    method = request.method if request.method in METHODS else "other"
    route, status = current.route(), response.status_code
    response.headers["X-Request-Id"] = g.request_id
    metrics.count_request(method, route, status, seconds)
    if status >= 400 or not _is_quiet():
        told = {
            "request_id": g.request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "source": g.caller.name if "caller" in g else None,
            "decision": g.get("decision"),
        }
        # Not `info`: that looks for the line of code which said so, in every frame of the call.
        lines.handle(_record(told))
    return response


def _is_quiet() -> bool:
    return request.endpoint == "static" or getattr(current.view(), "quiet", False)


def _record(told: dict[str, Any]) -> logging.LogRecord:
    record = logging.LogRecord(lines.name, logging.INFO, "", 0, "", (), None)
    record.told = told
    return record
