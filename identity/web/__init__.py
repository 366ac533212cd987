"""All HTTP. One blueprint; a view parses, calls one function of the domain, and answers.

The views hang themselves on the blueprint when their modules are imported: `answering` does that.
Whoever needs a little of this package only, as the commands do, does not load them all.
"""

from flask import Blueprint

blueprint = Blueprint("web", __name__)
