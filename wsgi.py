"""The application, for gunicorn and for `flask`."""

import os
import sys

from identity import create_app
from identity.errors import ConfigurationError

# Databases, exports and rejected rows hold customers' data: nobody but their owner reads them.
os.umask(0o077)
try:
    app = create_app()
except ConfigurationError as problem:
    sys.stderr.write(f"{problem}\n")
    # As of a command line that is not understood: 1 is that of a file with doubts.
    sys.exit(2)
