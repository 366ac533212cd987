"""What is told of every request: a line in the log, and counts. Never an identifier.

The address that was asked for holds ids and, in a query, emails and phone numbers: what is told
is the route, and who asked by the name of their key.
"""

import json
import logging
import random
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sentry_sdk
from flask import Flask, Response, current_app, g, request

from identity.config import Config
from identity.web import metrics

METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}
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


class Gathered(logging.Handler):
    """Writes what was logged ten times a second, in one go, and at once when something is wrong.

    A write for each request lets the other threads run in its middle, and took an eighth of a
    repeat's time.
    """

    SECONDS = 0.1

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[str] = []
        threading.Thread(target=self._write_on, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record until the next writing."""
        self._waiting.append(f"{self.format(record)}\n")
        if record.levelno >= logging.WARNING:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting. Python calls it too, when the process ends."""
        self.acquire()
        lines, self._waiting = self._waiting, []
        self.release()
        if lines:
            # Nobody can be told that nobody can be told; and who serves must go on serving.
            with suppress(OSError, ValueError):
                sys.stderr.write("".join(lines))
                sys.stderr.flush()

    def _write_on(self) -> None:
        while True:
            time.sleep(self.SECONDS)
            self.flush()


def observe(app: Flask, config: Config) -> None:
    """Tell of every request to the app."""
    write_log(at_once=config.frozen)
    if config.sentry_dsn:
        report_faults(config.sentry_dsn)
    if config.open:
        app.logger.warning("IDENTITY_OPEN is set: everybody who can reach this service may ask it.")
    app.before_request(_begin)
    app.after_request(_end)
    metrics.watch_pools(app)


def write_log(*, at_once: bool) -> None:
    """Write the log to stderr: as JSON, unless somebody is looking."""
    root = logging.getLogger("identity")
    if not root.handlers:
        # A process that stands still between requests would write its lines with the next one.
        handler = logging.StreamHandler() if at_once else Gathered()
        handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
        root.addHandler(handler)
        # Whoever runs us may have a handler of their own, which would tell everything again.
        root.propagate = False
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


def report(fault: Exception) -> None:
    """Send a fault to Sentry, if that is configured."""
    sentry_sdk.capture_exception(fault)
    config: Config = current_app.config["IDENTITY"]
    if config.frozen:
        # What is sent in the background would wait for the next request.
        sentry_sdk.flush(2)


def _without_messages(event: Any, _: object) -> Any:
    # Messages of errors quote what was sent.
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = ""
    event["tags"] = {"request_id": g.get("request_id"), "route": _route()}
    return event


def _begin() -> None:
    g.begun = time.perf_counter()
    g.request_id = f"{random.getrandbits(64):016x}"


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.begun
    # Whoever asks may invent methods, and each would be counted for ever.
    method = request.method if request.method in METHODS else "other"
    route, status = _route(), response.status_code
    response.headers["X-Request-Id"] = g.request_id
    metrics.count_request(method, route, status, seconds)
    if request.endpoint not in QUIET or status >= 400:
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


def _record(told: dict[str, Any]) -> logging.LogRecord:
    record = logging.LogRecord(lines.name, logging.INFO, "", 0, "", (), None)
    record.told = told
    return record


def _route() -> str:
    rule = request.url_rule
    return rule.rule if rule else "none"
