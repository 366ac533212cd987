"""Pages, read and filled in without a browser."""

import html
import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def folded(response: TestResponse) -> str:
    """Return the page with its white space folded."""
    return re.sub(r"\s+", " ", response.text)


def text(response: TestResponse) -> str:
    """Return what can be read on the page."""
    cells = response.text.replace("</td>", " ")
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", cells)))


def send(client: FlaskClient, button: str, email: str = "", phone: str = "") -> TestResponse:
    """Fill in the form of the first page, and press one of its buttons."""
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', client.get("/").text)
    assert token
    return client.post(
        "/",
        data={"csrf_token": token[1], "email": email, "phone_number": phone, button: button},
        follow_redirects=True,
        headers={"Accept": "text/html"},
    )
