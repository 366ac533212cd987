"""Where a ruling is previewed: what it would change, and the button that does it.

Any page may offer a ruling by linking there. What is ruled about is sealed, because it names
people.
"""

from flask import url_for

from identity.rulings import kinds
from identity.rulings.kinds import What
from identity.web import sealed

RULING = "ruling"


def address(what: What) -> str:
    """Return where a ruling is previewed."""
    return url_for("web.preview", ruling=sealed.seal(kinds.as_json(what), RULING))


def opened(ruling: str) -> What:
    """Return the ruling that an address carries; raise `NotFound` when it is not complete."""
    return kinds.parse(sealed.unseal(ruling, RULING))
