"""Whoever asks, with a key or without, from this machine or another."""

from flask import Flask
from flask.testing import FlaskClient

from identity import access
from identity.access import Scope

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
