"""Whoever asks, with a key or without, from this machine or another."""

import re

from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity import access
from identity.access import Role, Scope

KEY = "a-key-that-nobody-would-guess"
PASSWORD = "great scott, 1.21"
OUTSIDE = {"REMOTE_ADDR": "203.0.113.7"}


def from_outside(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.environ_base.update(OUTSIDE)
    return client


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def key(client: FlaskClient, scope: Scope, name: str = "shop") -> str:
    """Make a key."""
    with client.application.app_context():
        return access.create_key(name, {scope})


def sign_in(client: FlaskClient, password: str, name: str = "", to: str = "/") -> TestResponse:
    _forget_tokens()
    page = client.get("/sign-in").text
    (token,) = re.findall(r'name="csrf_token" type="hidden" value="([^"]+)"', page)
    form = {"csrf_token": token, "user": name, "password": password}
    answer = client.post("/sign-in", query_string={"to": to}, data=form)
    _forget_tokens()
    return answer


def known(client: FlaskClient, name: str = "Doc", role: Role = Role.STEWARD) -> None:
    """Let somebody sign in."""
    with client.application.app_context():
        access.create_user(name, PASSWORD, role)


def person(app: Flask, name: str = "Doc", role: Role = Role.STEWARD) -> FlaskClient:
    """Return the browser of somebody of that role, who has signed in."""
    client = from_outside(app)
    known(client, name, role)
    assert sign_in(client, PASSWORD, name).status_code == 303
    return client


def sign_out(client: FlaskClient) -> TestResponse:
    _forget_tokens()
    (token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/docs").text)
    return client.post("/sign-out", data={"csrf_token": token})


def _forget_tokens() -> None:
    # In the context of a test, what is kept for one request is there in the next.
    if g:
        g.pop("csrf_token", None)
