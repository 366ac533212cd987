"""The application with one more route, which does nothing: what the others are measured against."""

from flask import Response, jsonify, request

from identity import create_app
from identity.web.marks import quick

app = create_app()


@app.post("/empty")
@quick
def empty() -> Response:
    """Read JSON and answer JSON, as a route that has nothing to do would."""
    request.get_json()
    return jsonify(contact=None)


# As POST /identify is: the two must differ only in what they do.
app.extensions["csrf"].exempt(empty)
