"""Passing requests on from a door to the office, and the office's answers back."""

import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException as HTTPError
from werkzeug.exceptions import RequestEntityTooLarge

from identity.database import NO_ROOM
from identity.errors import IdentityError, InvalidInput, Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CAME_BY = "HTTP_IDENTITY_CAME_BY"
"""The header that tells the office from where a request came to the door, and how."""
PEER = "REMOTE_ADDR", "REMOTE_PORT", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme"
PROBLEM = "identity.problem"
"""What came in the way of passing a request on."""
OF_ONE_JOURNEY = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect"}
"""Headers about the connection they came by, and not about the request or the answer."""
OURS = {*OF_ONE_JOURNEY, "server", "date"}
"""Those that the door's own server adds to an answer."""
IN_MEMORY, AHEAD = 64 * 1024, 1024 * 1024
"""Bytes of a request that are kept in memory, the others go into a file; and of an answer that are
read before the client is sent any."""
CHUNK = 64 * 1024
CALLS = {"/identify", "/identify/batch"}
AT_ONCE = 500
"""Requests that a door passes on at the same time. More would fill the queue of a dead office."""


class Door:
    """The application as a door serves it."""

    def __init__(self, app: Flask, office: str) -> None:
        """Pass on what is not quick to whoever listens at the path `office`."""
        self._app: WSGIApplication = app
        self._office = office
        self._views = views = app.view_functions
        self._routes = app.url_map.bind("door")
        self._largest: int = app.config["MAX_CONTENT_LENGTH"]
        rules = app.url_map.iter_rules()
        self._quick = {r.rule for r in rules if getattr(views[r.endpoint], "quick", False)}
        if app.config["IDENTITY"].careful:
            # Such a call may be followed by a ruling about thousands of contacts.
            self._quick -= CALLS
        self._files = f"{app.static_url_path}/"
        self._room = BoundedSemaphore(AT_ONCE)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request, or have it answered."""
        path: str = environ["PATH_INFO"]
        if path in self._quick or path.startswith(self._files):
            return self._app(environ, start_response)
        try:
            response, parts = self._passed_on(environ)
        except (IdentityError, HTTPError) as problem:
            environ[PROBLEM] = problem
            return self._app(environ, start_response)
        headers = [each for each in response.getheaders() if each[0].lower() not in OURS]
        start_response(f"{response.status} {response.reason}", headers)
        return parts

    def _passed_on(self, environ: "WSGIEnvironment") -> tuple[HTTPResponse, Iterable[bytes]]:
        most = self._most(environ)
        if int(environ.get("CONTENT_LENGTH") or 0) > most:
            raise RequestEntityTooLarge
        # Whole, before the office hears of it: a thread would wait for a client that drips.
        with _body(environ, most) as (body, length):
            if not self._room.acquire(blocking=False):
                raise Unavailable(NO_ROOM)
            connection = _Connection(self._office)
            try:
                response = _ask(connection, environ, body, length)
                return response, _read(connection, response)
            except (OSError, HTTPException):
                connection.close()
                raise Unavailable(
                    "This part of the service is being started again. Try again."
                ) from None
            finally:
                self._room.release()

    def _most(self, environ: "WSGIEnvironment") -> int:
        """Return how many bytes of a body the view takes that is asked."""
        largest = self._largest
        with suppress(HTTPError):
            endpoint, _ = self._routes.match(environ["PATH_INFO"], environ["REQUEST_METHOD"])
            largest = getattr(self._views[endpoint], "largest", largest)
        return largest


class Office:
    """The application as the office serves it."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request that came by a door as if it had come here."""
        environ.update(json.loads(environ.pop(CAME_BY)))
        return self._app(environ, start_response)


def tell_problems(app: Flask) -> None:
    """Let the app tell what came in the way of passing a request on, as it tells everything."""

    def tell() -> None:
        if problem := request.environ.get(PROBLEM):
            raise problem

    # After the request has an id, and before anybody is counted, recorded or asked for a form.
    app.before_request_funcs[None].insert(1, tell)


class _Connection(HTTPConnection):
    """A connection to a path in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("office")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@contextmanager
def _body(environ: "WSGIEnvironment", most: int) -> Iterator[tuple[IO[bytes], int]]:
    """Give the body of a request, of so many bytes at most, in a file of its own, and its length.

    Raise `RequestEntityTooLarge` for a larger one.
    """
    with SpooledTemporaryFile(IN_MEMORY) as file:
        while part := _part(environ, CHUNK):
            file.write(part)
            if file.tell() > most:
                raise RequestEntityTooLarge
        length = file.tell()
        file.seek(0)
        yield file, length


def _part(environ: "WSGIEnvironment", size: int) -> bytes:
    try:
        part: bytes = environ["wsgi.input"].read(size)
    except (OSError, ParseException):
        raise InvalidInput("The body cannot be read.") from None
    return part


def _ask(
    connection: HTTPConnection, environ: "WSGIEnvironment", body: IO[bytes], length: int
) -> HTTPResponse:
    # What no address may hold, and some clients send all the same, the office is spared.
    target = quote(environ["RAW_URI"], safe="%/:=&?~#+!$,;'@()*[]\"<>^`{|}\\", encoding="latin-1")
    connection.putrequest(
        environ["REQUEST_METHOD"], target, skip_host=True, skip_accept_encoding=True
    )
    for name, value in _headers(environ):
        connection.putheader(name, value)
    if length or "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
        connection.putheader("Content-Length", str(length))
    connection.endheaders()
    while part := body.read(CHUNK):
        connection.send(part)
    return connection.getresponse()


def _headers(environ: "WSGIEnvironment") -> Iterator[tuple[str, str]]:
    environ[CAME_BY] = json.dumps({name: environ[name] for name in PEER if name in environ})
    if environ.get("CONTENT_TYPE"):
        yield "Content-Type", environ["CONTENT_TYPE"]
    for key, value in environ.items():
        name = key.removeprefix("HTTP_").replace("_", "-")
        if key.startswith("HTTP_") and name.lower() not in OF_ONE_JOURNEY:
            yield name, value


def _read(connection: HTTPConnection, response: HTTPResponse) -> Iterable[bytes]:
    """Return the parts of an answer, the beginning of which is read at once.

    So no page waits in the office for a client that reads slowly, and only a large file does.
    """
    parts: list[bytes] = []
    while sum(map(len, parts)) < AHEAD and (part := _next(response)):
        parts.append(part)
    return _rest(connection, response, parts)


def _next(response: HTTPResponse) -> bytes:
    part = response.read(CHUNK)
    if not part and response.length:
        # The library takes an office that died for the end. The client would wait for the rest.
        raise ConnectionError("the answer is not whole")
    return part


def _rest(
    connection: HTTPConnection, response: HTTPResponse, parts: list[bytes]
) -> Iterator[bytes]:
    try:
        yield from parts
        while part := _next(response):
            yield part
    finally:
        connection.close()
