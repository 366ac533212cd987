"""The application, for gunicorn and for `flask`."""

from identity import create_app

app = create_app()
