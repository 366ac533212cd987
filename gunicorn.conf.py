"""How the service is served. The numbers were chosen by measurement: benchmarks/RESULTS.md."""

import os
import shutil
import socket
import struct
import sys
import tempfile
from typing import Any

from gunicorn.glogging import Logger

STALLED = 10
"""Seconds without a byte, in the middle of a request or an answer, after which we hang up."""
COUNTS, PREFIX = "PROMETHEUS_MULTIPROC_DIR", "identity-counts-"
OURS = f"{PREFIX}{os.getpid()}-"
counts = os.environ.get(COUNTS, PREFIX)
if PREFIX in counts and OURS not in counts:
    # Where the workers add up their counts: the library looks for it when it is first imported. A
    # server that takes over from another one must not keep them in the other's folder.
    os.environ[COUNTS] = tempfile.mkdtemp(prefix=OURS)

from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

from identity.config import Config  # noqa: E402
from identity.errors import ConfigurationError  # noqa: E402
from identity.web import sweeping  # noqa: E402

try:
    settings = Config.from_environment()
except ConfigurationError as problem:
    sys.exit(str(problem))


class DiscreetLogger(Logger):  # type: ignore[misc]
    """Gunicorn's log without request lines: a query string holds emails and phone numbers."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a warning; of a request that could not be parsed, only that there was one."""
        if msg.startswith("Invalid request from"):
            msg, args = "A request could not be parsed.", ()
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log an error of the server itself, without the address it was asked for."""
        if msg.startswith("Error handling request"):
            msg, args, kwargs = "A request failed outside the application.", (), {}
            super().error(msg, *args, **kwargs)
        elif msg.startswith("Socket error") and isinstance(sys.exception(), BlockingIOError):
            super().info("A client said nothing more in the middle of a request.")
        else:
            super().exception(msg, *args, **kwargs)


wsgi_app = "wsgi:app"
host = f"[{settings.host}]" if ":" in settings.host else settings.host
bind = f"{host}:{settings.port}"
worker_class = "gthread"
workers = settings.workers
threads = settings.threads
keepalive = 15
logger_class = DiscreetLogger
# Nothing here uses the control socket, and a socket in the home folder is one more door.
control_socket_disable = True
# Nothing here wants to be told by a header under which path it is.
forwarder_headers = ""


def when_ready(server: Any) -> None:
    """Let no client hold a thread by saying nothing more, as one that vanished half-way does."""
    for listener in server.LISTENERS:
        for direction in socket.SO_RCVTIMEO, socket.SO_SNDTIMEO:
            # What is accepted has the options of the socket it came by.
            listener.sock.setsockopt(socket.SOL_SOCKET, direction, struct.pack("ll", STALLED, 0))


def post_worker_init(worker: Any) -> None:
    """Let each worker look at what was told to it, for the page Review."""
    worker.sweeper = sweeping.begin(worker.wsgi)


def worker_exit(_: Any, worker: Any) -> None:
    """Let a worker's sweep end with the step that it is at."""
    if sweeper := getattr(worker, "sweeper", None):
        sweeper.end(patience=2)


def child_exit(_: Any, worker: Any) -> None:
    """Take what a worker had in use out of the counts."""
    mark_process_dead(worker.pid)


def on_exit(_: Any) -> None:
    """Leave no counts behind."""
    if OURS in os.environ[COUNTS]:
        shutil.rmtree(os.environ[COUNTS], ignore_errors=True)
