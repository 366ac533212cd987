"""Passing requests on from a door to the office, and the office's answers back."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING

from flask import Flask, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException as HTTPError
from werkzeug.exceptions import RequestEntityTooLarge

from identity import faults
from identity.database import NO_ROOM
from identity.errors import IdentityError, InvalidInput, Unavailable
from identity.web import waiting
from identity.web.serving import asking

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PROBLEM = "identity.problem"
"""What came in the way of passing a request on."""
IN_MEMORY = 64 * 1024
"""Bytes of a request that are kept in memory. The others go into a file."""
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
        self.waiting = waiting.of(app)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request, or have it answered."""
        path: str = environ["PATH_INFO"]
        if path in self._quick or path.startswith(self._files):
            return self._app(environ, start_response)
        try:
            response, parts = self._passed_on(environ)
            if wait := response.getheader(waiting.WAIT):
                response, parts = self._waited(environ, wait, response, list(parts))
        except (IdentityError, HTTPError) as problem:
            environ[PROBLEM] = problem
            return self._app(environ, start_response)
        headers = [each for each in response.getheaders() if each[0].lower() not in asking.OURS]
        start_response(f"{response.status} {response.reason}", headers)
        return parts

    def _waited(
        self, environ: "WSGIEnvironment", wait: str, response: HTTPResponse, parts: list[bytes]
    ) -> tuple[HTTPResponse, Iterable[bytes]]:
        """Wait for what the office has nothing of yet, and ask again when there is something."""
        number, seconds = map(int, wait.split())
        if not self.waiting.wait(number, seconds, waiting.gone(environ)):
            return response, parts
        environ[f"HTTP_{waiting.WAITED.upper().replace('-', '_')}"] = "yes"
        return self._passed_on(environ)

    def _passed_on(self, environ: "WSGIEnvironment") -> tuple[HTTPResponse, Iterable[bytes]]:
        most = self._most(environ)
        if int(environ.get("CONTENT_LENGTH") or 0) > most:
            raise RequestEntityTooLarge
        # Whole, before the office hears of it: a thread would wait for a client that drips.
        with _body(environ, most) as (body, length):
            if not self._room.acquire(blocking=False):
                raise Unavailable(NO_ROOM)
            connection = asking.Connection(self._office)
            try:
                response = asking.ask(connection, environ, body, length)
                return response, asking.read(connection, response)
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
        environ.update(json.loads(environ.pop(asking.CAME_BY)))
        environ[waiting.BY_DOOR] = True
        return self._app(environ, start_response)


def tell_problems(app: Flask) -> None:
    """Let the app tell what came in the way of passing a request on, as it tells everything."""

    def tell() -> None:
        if problem := request.environ.get(PROBLEM):
            raise problem

    # After the request has an id, and before anybody is counted, recorded or asked for a form.
    app.before_request_funcs[None].insert(1, tell)


@contextmanager
def _body(environ: "WSGIEnvironment", most: int) -> Iterator[tuple[IO[bytes], int]]:
    """Give the body of a request, of so many bytes at most, in a file of its own, and its length.

    Raise `RequestEntityTooLarge` for a larger one.
    """
    with SpooledTemporaryFile(IN_MEMORY) as file:
        while part := _part(environ, asking.CHUNK):
            try:
                file.write(part)
            except OSError as error:
                raise Unavailable(faults.of_disk(error)) from None
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
