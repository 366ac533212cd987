"""How the service is served. The numbers were chosen by measurement: benchmarks/RESULTS.md."""

from typing import Any

from gunicorn.glogging import Logger

from identity.config import Config

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
