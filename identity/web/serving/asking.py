"""A door's question to the office, over a socket in the file system, and the office's answer."""

import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from identity.web.waiting import WAIT

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CAME_BY = "HTTP_IDENTITY_CAME_BY"
"""The header that tells the office from where a request came to the door, and how."""
PEER = "REMOTE_ADDR", "REMOTE_PORT", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme"
OF_ONE_JOURNEY = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect"}
"""Headers about the connection they came by, and not about the request or the answer."""
OURS = {*OF_ONE_JOURNEY, "server", "date", WAIT.lower()}
"""Those that the door's own server adds to an answer, and one that the office says to the door."""
AHEAD = 1024 * 1024
"""Bytes of an answer that are read before the client is sent any."""
CHUNK = 64 * 1024


class Connection(HTTPConnection):
    """A connection to a path in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("office")
        self._path = path

    def connect(self) -> None:
        """Connect, for whoever asks first."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def ask(
    connection: HTTPConnection, environ: "WSGIEnvironment", body: IO[bytes], length: int
) -> HTTPResponse:
    """Pass a request on, with a body of so many bytes, and return the answer as it begins."""
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
    # Whoever has answered already reads no more.
    with suppress(BrokenPipeError, ConnectionResetError):
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


def read(connection: HTTPConnection, response: HTTPResponse) -> Iterable[bytes]:
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
