"""How the service is served. The numbers were chosen by measurement: benchmarks/RESULTS.md."""

import os
import shutil
import tempfile
from typing import Any

from gunicorn.glogging import Logger

COUNTS, PREFIX = "PROMETHEUS_MULTIPROC_DIR", "identity-counts-"
OURS = f"{PREFIX}{os.getpid()}-"
counts = os.environ.get(COUNTS, PREFIX)
if PREFIX in counts and OURS not in counts:
    # Where the workers add up their counts: the library looks for it when it is first imported. A
    # server that takes over from another one must not keep them in the other's folder.
    os.environ[COUNTS] = tempfile.mkdtemp(prefix=OURS)

from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

from identity.config import Config  # noqa: E402

settings = Config.from_environment()


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
        else:
            super().exception(msg, *args, **kwargs)


wsgi_app = "wsgi:app"
bind = f"{settings.host}:{settings.port}"
worker_class = "gthread"
workers = settings.workers
threads = settings.threads
keepalive = 15
logger_class = DiscreetLogger
# Nothing here uses the control socket, and a socket in the home folder is one more door.
control_socket_disable = True


def child_exit(_: Any, worker: Any) -> None:
    """Take what a worker had in use out of the counts."""
    mark_process_dead(worker.pid)


def on_exit(_: Any) -> None:
    """Leave no counts behind."""
    if OURS in os.environ[COUNTS]:
        shutil.rmtree(os.environ[COUNTS], ignore_errors=True)
