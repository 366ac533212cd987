"""All HTTP. One blueprint; a view parses, calls one function of the domain, and answers."""

from flask import Blueprint

blueprint = Blueprint("web", __name__)

# The views hang themselves on the blueprint when their modules are imported.
from identity.web import api, imports, openapi, operating, pages, signing  # noqa: E402, F401
