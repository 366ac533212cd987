"""All HTTP. One blueprint; a view parses, calls one function of the domain, and answers."""

from flask import Blueprint

blueprint = Blueprint("web", __name__)

# The views hang themselves on the blueprint when their modules are imported.
from identity.web import api, operating, pages  # noqa: E402, F401
