"""All HTTP. One blueprint; a view parses, calls one function of the domain, and answers."""

from flask import Blueprint

blueprint = Blueprint("web", __name__)

# The views hang themselves on the blueprint when their modules are imported.
from identity.web import (  # noqa: E402
    activity,  # noqa: F401
    adding,  # noqa: F401
    api,  # noqa: F401
    applying,  # noqa: F401
    customer,  # noqa: F401
    customers,  # noqa: F401
    docs,  # noqa: F401
    downloads,  # noqa: F401
    home,  # noqa: F401
    import_pages,  # noqa: F401
    operating,  # noqa: F401
    record,  # noqa: F401
    review,  # noqa: F401
    ruling_pages,  # noqa: F401
    rulings,  # noqa: F401
    searching,  # noqa: F401
    signing,  # noqa: F401
    why,  # noqa: F401
)
