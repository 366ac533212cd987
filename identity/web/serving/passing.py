"""Passing requests on from a door to the office, and the office's answers back."""

import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, request
from gunicorn.http.errors import ParseException

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
IN_MEMORY = 1024 * 1024
"""Bytes of a request or an answer that are kept in memory. A request's others go into a file."""
CHUNK = 64 * 1024


class Door:
    """The application as a door serves it."""

    def __init__(self, app: Flask, office: str) -> None:
        """Pass on what is not quick to whoever listens at the path `office`."""
        self._app: WSGIApplication = app
        self._office = office
        views = app.view_functions
        taken = (getattr(view, "largest", 0) for view in views.values())
        # One more, by which the office sees that it is too much.
        self._most = max(app.config["MAX_CONTENT_LENGTH"], *taken) + 1
        rules = app.url_map.iter_rules()
        self._quick = {r.rule for r in rules if getattr(views[r.endpoint], "quick", False)}
        self._files = f"{app.static_url_path}/"

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request, or have it answered."""
        path: str = environ["PATH_INFO"]
        if path in self._quick or path.startswith(self._files):
            return self._app(environ, start_response)
        try:
            response, parts = self._passed_on(environ)
        except IdentityError as problem:
            environ[PROBLEM] = problem
            return self._app(environ, start_response)
        headers = [each for each in response.getheaders() if each[0].lower() not in OURS]
        start_response(f"{response.status} {response.reason}", headers)
        return parts

    def _passed_on(self, environ: "WSGIEnvironment") -> tuple[HTTPResponse, Iterable[bytes]]:
        # Whole, before the office hears of it: a thread would wait for a client that drips.
        with _body(environ, self._most) as (body, length):
            connection = _Connection(self._office)
            try:
                response = _ask(connection, environ, body, length)
                return response, _read(connection, response)
            except (OSError, HTTPException):
                connection.close()
                raise Unavailable(
                    "This part of the service is being started again. Try again."
                ) from None


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

    app.before_request(tell)


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
    """Give the body of a request, up to so many bytes, in a file of its own, and its length."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        try:
            while most and (part := environ["wsgi.input"].read(min(most, CHUNK))):
                file.write(part)
                most -= len(part)
        except (OSError, ParseException):
            raise InvalidInput("The body cannot be read.") from None
        length = file.tell()
        file.seek(0)
        yield file, length


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
    while sum(map(len, parts)) < IN_MEMORY and (part := response.read(CHUNK)):
        parts.append(part)
    return _rest(connection, response, parts)


def _rest(
    connection: HTTPConnection, response: HTTPResponse, parts: list[bytes]
) -> Iterator[bytes]:
    try:
        yield from parts
        while part := response.read(CHUNK):
            yield part
    finally:
        connection.close()
