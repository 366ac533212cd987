"""Identity as AWS Lambda functions: one that answers API Gateway, one that migrates."""

from typing import Any

from apig_wsgi import make_lambda_handler
from flask_migrate import upgrade

from wsgi import app

# Pictures and scripts are sent as base64; the gateway makes bytes of them again.
answer = make_lambda_handler(app, binary_support=True)


def migrate(event: Any, context: Any) -> str:  # noqa: ARG001
    """Bring the database to the tables of this version. Invoke it before the other."""
    with app.app_context():
        upgrade()
    return "migrated"
