"""How the service is served. The numbers were chosen by measurement: benchmarks/RESULTS.md."""

import gc
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

FOLDER, PREFIX = "IDENTITY_SERVING_FOLDER", "identity-serving-"
OURS = f"{PREFIX}{os.getpid()}-"
if OURS not in os.environ.get(FOLDER, ""):
    # A server that takes over from another one must not use the other's.
    os.environ[FOLDER] = tempfile.mkdtemp(prefix=OURS)
folder = Path(os.environ[FOLDER])
# Where the workers add up their counts: the library looks for it when it is first imported.
COUNTS = "PROMETHEUS_MULTIPROC_DIR"
if PREFIX in os.environ.get(COUNTS, PREFIX):
    os.environ[COUNTS] = str(folder)

from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

from identity.config import Config  # noqa: E402
from identity.errors import ConfigurationError  # noqa: E402
from identity.web import errands, sweeping  # noqa: E402
from identity.web.serving import beside, folders  # noqa: E402
from identity.web.serving.workers import Office, Worker, begin  # noqa: E402

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
        elif msg.startswith("Socket error") and isinstance(sys.exception(), TimeoutError):
            super().info("A client said nothing more in the middle of a request.")
        else:
            super().exception(msg, *args, **kwargs)


wsgi_app = "wsgi:app"
host = f"[{settings.host}]" if ":" in settings.host else settings.host
bind = f"{host}:{settings.port}"
worker_class = "identity.web.serving.workers.Worker"
# The doors, and the office.
workers = settings.workers + 1
threads = settings.threads
worker_connections = 10_000
keepalive = 15
logger_class = DiscreetLogger
# Nothing here uses the control socket, and a socket in the home folder is one more door.
control_socket_disable = True
# Nothing here wants to be told by a header under which path it is.
forwarder_headers = ""


def on_starting(_: Any) -> None:
    """Take away what servers left that were killed, and make room for connections."""
    folders.sweep(folder)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A connection is an open file, of which a process may have 1024 by default.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def post_fork(_: Any, worker: Any) -> None:
    """Let the worker be known by its name, and not outlive its master."""
    begin(worker)


def post_worker_init(worker: Any) -> None:
    """Let the office deliver, and look at what was told, at a door too, for the page Review."""
    app = worker.app.wsgi()
    heard, said = Worker.told
    if not isinstance(worker, Office):
        sweeping.hear(app, sweeping.Messenger(said).tell)
        return
    if settings.deliver_beside:
        worker.beside = beside.begin()
    if sweeper := sweeping.begin(app):
        worker.sweeper = sweeper
        sweeping.listen(heard, sweeper)


def worker_exit(_: Any, worker: Any) -> None:
    """Let the office's errands come to their end, and its sweep end with the step it is at."""
    if isinstance(worker, Office):
        errands.of(worker.app.wsgi()).end()
    else:
        # Else loggers outlive what gevent gave them, and complain when they go.
        gc.unfreeze()
    if deliverer := getattr(worker, "beside", None):
        deliverer.end()
    if sweeper := getattr(worker, "sweeper", None):
        sweeper.end(patience=2)


def child_exit(server: Any, worker: Any) -> None:
    """Take what a worker had in use out of the counts, and see that there is an office."""
    mark_process_dead(worker.pid)
    Worker.left(server, worker)


def on_reload(_: Any) -> None:
    """Let the new workers have an office of their own."""
    Worker.reload()


def on_exit(_: Any) -> None:
    """Leave nothing behind."""
    folders.end(folder)


Worker.path = str(folder / "office")
# Workers share what is loaded here with each other, and none need look through it when it ends.
gc.freeze()
