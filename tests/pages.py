"""Pages, read and filled in without a browser."""

import html
import re
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity.web import errands

PAGES = {"Accept": "text/html"}


def folded(response: TestResponse) -> str:
    """Return the page with its white space folded."""
    return re.sub(r"\s+", " ", response.text)


def text(response: TestResponse) -> str:
    """Return what can be read on the page."""
    cells = response.text.replace("</td>", " ")
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", cells))).strip()


def field(response: TestResponse, name: str) -> str:
    """Return what a field of the page is filled with, the last of them that are called so."""
    (*_, found) = re.finditer(rf'name="{name}"[^>]*? value="([^"]*)"', response.text)
    return html.unescape(found[1])


def send(client: FlaskClient, path: str, given: Mapping[str, Any]) -> TestResponse:
    """Send a form, and return the page that one is led to when all it began is done."""
    answer = client.post(path, data=given, headers=PAGES)
    # A large body is a file, which nobody else closes.
    answer.request.environ["wsgi.input"].close()
    errands.of(client.application).wait()
    if answer.location is None:
        return answer
    return client.get(answer.location, headers=PAGES, follow_redirects=True)


def search(client: FlaskClient, typed: str) -> TestResponse:
    """Type into the search of the first page, and return the page of the results."""
    token = field(client.get("/"), "csrf_token")
    given = {"csrf_token": token, "typed": typed}
    return client.post("/search", data=given, follow_redirects=True, headers=PAGES)


def look(client: FlaskClient, email: str = "", phone: str = "") -> TestResponse:
    """Fill in the form for adding, and return the page that says what would happen."""
    given = {"email": email, "phone_number": phone}
    given["csrf_token"] = field(client.get("/add"), "csrf_token")
    return client.post("/add", data=given, follow_redirects=True, headers=PAGES)


def confirm(client: FlaskClient, seen: TestResponse) -> TestResponse:
    """Press the button of such a page."""
    given = {name: field(seen, name) for name in ("csrf_token", "seen")}
    return client.post(seen.request.path, data=given, follow_redirects=True, headers=PAGES)


def add(client: FlaskClient, email: str = "", phone: str = "") -> TestResponse:
    """Add something, and return the page that one is led to."""
    return confirm(client, look(client, email, phone))
