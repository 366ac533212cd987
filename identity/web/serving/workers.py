"""The processes that serve, as gunicorn makes them."""

import fcntl
import importlib
import os
import signal
import socket
import sys
import termios
import threading
import warnings
from typing import Any, ClassVar

import gevent
from gevent import monkey
from gevent.local import local
from gunicorn import http, util
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker
from gunicorn.workers.gthread import ThreadWorker
from urllib3.util import ssl_

from identity.web.serving import belonging, passing

STALLED = 20
"""Seconds without a byte, in the middle of a request or an answer, after which we hang up."""
LINGER, CLOSED = 0.3, 1.2
"""Seconds for which a door that closes still takes requests on connections that it has, and after
which it takes none at all: it looks once a second whether it is to close."""
LITTLE, UNWANTED = 64 * 1024, 128 * 1024 * 1024
"""Bytes of a body that nobody asked for: how many are read for the next request to come through,
and how many so that whoever sends them hears that they are too many."""
WAITING = 2048
"""Connections to the office that may wait for it."""


class Door(GeventWorker):  # type: ignore[misc]
    """Serves what is quick, and passes on the rest."""

    wsgi: Any

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._idle: set[_Idle] = set()
        self._here = local()

    def patch(self) -> None:
        """Let whatever waits in this process let others go on meanwhile."""
        with warnings.catch_warnings():
            # The master has imported it long ago, to read the settings.
            warnings.simplefilter("ignore", monkey.MonkeyPatchWarning)
            super().patch()
        # It has names of its own for what was patched. Everybody at this door would wait for a
        # fault to be reported.
        importlib.reload(ssl_)

    def load_wsgi(self) -> None:
        """Load the application, as a door serves it."""
        super().load_wsgi()
        passing.tell_problems(self.wsgi)
        self.wsgi = passing.Door(self.wsgi, Worker.path)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection."""
        client.settimeout(STALLED)
        self._here.client = client
        # Past the parent's, which would let a client that vanished half-way wait for ever.
        AsyncWorker.handle(self, listener, client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer a request, and hang up when it has more of a body than anybody wants."""
        super().handle_request(listener_name, req, sock, addr)
        if not _is_read(req.body):
            _hear_out(sock)
            raise StopIteration

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Say what was wrong, so that it is heard: bytes that are not read would undo it."""
        super().handle_error(req, client, addr, exc)
        _hear_out(client)

    def timeout_ctx(self) -> "_Idle":
        """Return what limits the wait for a request."""
        return _Idle(self.cfg.keepalive, self._idle, self._here.client)

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Serve what is under way, and then end."""
        super().handle_exit(sig, frame)
        if isinstance(self.wsgi, passing.Door):
            # The office ends soon, and who waits is answered before that.
            self.wsgi.waiting.closing = True
        gevent.spawn_later(LINGER, self._hang_up)

    def _hang_up(self) -> None:
        for idle in list(self._idle):
            idle.end()


def _hear_out(sock: Any) -> None:
    """Close a connection once its client has sent what it wants to, so that it hears the answer."""
    # Within two seconds, as gunicorn would have it, few send nine megabytes from where they are.
    util.close_graceful(sock, timeout=STALLED, max_drain=UNWANTED)


def _is_read(body: Any) -> bool:
    """Read what is left of a body, if that is little, and tell whether nothing is left."""
    try:
        return not body.read(LITTLE) or not body.read(1)
    except (OSError, http.errors.ParseException):
        return False


class _Idle(gevent.Timeout):  # type: ignore[misc]
    """The wait for the next request of a connection."""

    def __init__(self, seconds: float, all_: set["_Idle"], client: Any) -> None:
        super().__init__(seconds, False)
        self._all, self._client = all_, client
        self._waiting = gevent.getcurrent()

    def __enter__(self) -> "_Idle":
        self._all.add(self)
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        self._all.discard(self)
        return super().__exit__(*error)

    def end(self) -> None:
        """End it, as if its time had come."""
        # Only the hub may throw without being forgotten itself.
        gevent.get_hub().loop.run_callback(self._end)

    def _end(self) -> None:
        # On a busy machine the request has come by now: it is being served, or it is there and will
        # be read next. Its connection is closed behind the answer.
        if self in self._all and not _has_said(self._client):
            self._waiting.throw(self)


def _has_said(client: Any) -> bool:
    """Tell whether there is something to be read from a client."""
    there = fcntl.ioctl(client.fileno(), termios.FIONREAD, bytes(4))
    return int.from_bytes(there, sys.byteorder) > 0


class Office(ThreadWorker):  # type: ignore[misc]
    """Serves what takes its time, to the doors."""

    wsgi: Any
    _closes = False

    def init_process(self) -> None:
        """Begin to serve the doors, and nobody else."""
        self.sockets = [Worker.listener]
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, as the office serves it."""
        super().load_wsgi()
        self.wsgi = passing.Office(self.wsgi)

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Serve what is under way, and then end: after the doors, which may pass something on."""
        if not self._closes:
            # The master says so again and again, and once is enough.
            self._closes = True
            closing = threading.Timer(CLOSED, super().handle_exit, (sig, frame))
            closing.daemon = True
            closing.start()


class Worker:
    """What gunicorn asks for a process: the office when there is none, otherwise a door."""

    path: ClassVar[str]
    """Where the office listens. The master listens there too and never answers, so that a request
    waits while an office is started again."""
    listener: ClassVar[socket.socket | None] = None
    told: ClassVar[tuple[int, int]]
    """A pipe, by which doors tell the office that somebody told something."""
    office: ClassVar[Office | None] = None

    def __new__(cls, *arguments: Any) -> Any:
        """Return the worker that is wanted. In the master, before it forks."""
        if cls.listener is None:
            # In a folder that nobody else may enter.
            cls.listener = socket.socket(socket.AF_UNIX)
            cls.listener.bind(cls.path)
            cls.listener.listen(WAITING)
            cls.told = os.pipe()
            os.set_blocking(cls.told[1], False)
        if cls.office is None:
            cls.office = Office(*arguments)
            return cls.office
        return Door(*arguments)

    @classmethod
    def reload(cls) -> None:
        """Let the next worker be an office, beside the one that is about to go."""
        cls.office = None

    @classmethod
    def left(cls, arbiter: Any, worker: Any) -> None:
        """Note that a worker ended, and let another office follow the one that did."""
        if worker is cls.office:
            cls.office = None
            if len(arbiter.WORKERS) >= arbiter.num_workers:
                # Nobody would be started. One of the doors is, in its place.
                arbiter.kill_worker(max(arbiter.WORKERS), signal.SIGTERM)


def begin(worker: Any) -> None:
    """Give this process its name, and let it end when its parent does.

    Nobody could stop it then, and it would keep the port from the next server for as long as its
    callers ask.
    """
    # Until it knows better, what would tell the master to end ends this process. Told before it
    # serves, it would think itself the master, and do nothing.
    for told in signal.SIGTERM, signal.SIGINT, signal.SIGQUIT:
        signal.signal(told, signal.SIG_DFL)
    belonging.belong(type(worker).__name__.lower(), signal.SIGKILL)
    if os.getppid() != worker.ppid:
        raise SystemExit
