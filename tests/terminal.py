"""Commands, as somebody at a terminal gives them."""

from click.testing import Result
from flask import Flask


def run(app: Flask, *arguments: object, say: str = "") -> Result:
    """Run `flask identity ...`; `say` is what is answered to its questions."""
    given = ["identity", *map(str, arguments)]
    return app.test_cli_runner().invoke(args=given, input=say)
