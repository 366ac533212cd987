"""The process that delivers webhooks: `flask identity deliver`."""

import os
import signal
import threading
import time

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from identity import rounds
from identity.cli import exits
from identity.duties import DUTIES
from identity.web import current, log, metrics, reporting
from identity.web.serving import belonging
from identity.webhooks import addresses
from identity.webhooks.delivering import Deliverer

LOOK = 2.0
"""Seconds between two looks whether the parent is there."""


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is due now, do each duty, and end.")
@click.option("--beside", is_flag=True, hidden=True, help="End with the process that began it.")
@with_appcontext
def deliver(*, once: bool, beside: bool) -> None:
    """Deliver webhooks, number changes for the feed, and sweep, until told to stop.

    The service starts one by itself. It may be killed at any moment, and there may be several.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    config = current.config()
    if beside:
        _end_with_parent()
        # What it counts is added to what the service counts.
        metrics.watch_pools(app)
    deliverer = Deliverer(current.secret_key(), addresses.rules(config))
    trouble = _Trouble(app)
    if once:
        for duty in DUTIES:
            rounds.do(duty, config, trouble.with_duty)
        deliverer.once()
        return
    stopped = _listen(deliverer.stopping)
    if config.webhooks_insecure:
        app.logger.warning("WEBHOOKS_INSECURE is set: webhooks may lead to this machine itself.")
    threads = rounds.begin(DUTIES, config, deliverer.stopping, trouble.with_duty)
    deliverer.run(trouble.with_database)
    rounds.end(threads, 1)
    if stopped:
        raise exits.Stopped(stopped[0])


def _end_with_parent() -> None:
    """End when the service does, however it does: it starts another one when it is back."""
    belonging.belong("deliverer", signal.SIGTERM)
    parent = os.getppid()

    def look() -> None:
        # Where the kernel does not tell, and for a parent that was gone before it was asked to.
        while os.getppid() == parent and parent != 1:
            time.sleep(LOOK)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, name="parent", daemon=True).start()


def _listen(stopping: threading.Event) -> list[int]:
    """Let signals end it as soon as what is under way has an end; return which one came."""
    came: list[int] = []

    def stop(number: int, _: object) -> None:
        came.append(number)
        stopping.set()

    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(number, stop)
    return came


class _Trouble:
    """Says what goes wrong, once a minute each: a database that is away is away for long."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._seldom = log.Seldom()

    def with_database(self, error: Exception) -> None:
        self._seldom.say(f"Nothing can be delivered: {error}", (), self._app.logger.error)

    def with_duty(self, name: str, error: Exception) -> None:
        sentence = f"A duty failed, {name}: {type(error).__qualname__}"
        self._seldom.say(sentence, (), self._app.logger.error)
        with self._app.app_context():
            reporting.report(error)
