"""The documentation of the endpoints, as it is asked for."""

from flask import Response, current_app, jsonify, render_template

from identity.web import blueprint
from identity.web.api.openapi import specification
from identity.web.marks import May, allow


@blueprint.get("/openapi.json")
@allow(May.VISITOR)
def openapi() -> Response:
    """Describe the endpoints, for programs."""
    return jsonify(specification(current_app._get_current_object()))  # type: ignore[attr-defined]


@blueprint.get("/docs")
@allow(May.VISITOR)
def docs() -> str:
    """Describe the endpoints, for people."""
    return render_template("docs.html")
