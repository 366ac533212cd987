"""The application, for gunicorn and for `flask`."""

import sys

from identity import create_app
from identity.errors import ConfigurationError

try:
    app = create_app()
except ConfigurationError as problem:
    sys.exit(str(problem))
