"""Where a ruling is previewed: what it would change, and the button that does it.

Any page may offer a ruling by linking there. What is ruled about is sealed, because it names
people.
"""

import re

from flask import request, url_for

from identity.rulings import kinds
from identity.rulings.kinds import What
from identity.web.pages import sealed

RULING = "ruling"
# One slash and then something else: two would lead to another site, and so would a backslash.
_HERE = re.compile(r"/(?![/\\])[!-~]*")


def address(what: What, back: str | None = None) -> str:
    """Return where a ruling is previewed; Cancel leads to `back`, else to where one came from."""
    return url_for("web.preview", ruling=sealed.seal(kinds.as_json(what), RULING), back=back)


def opened(ruling: str) -> What:
    """Return the ruling that an address carries; raise `NotFound` when it is not complete."""
    return kinds.parse(sealed.unseal(ruling, RULING))


def back() -> str | None:
    """Return where whoever asks came from, if that is a page of this service."""
    given = request.values.get("back") or _referring()
    # What follows the # was never sent, and a page that answers a form cannot be gone back to.
    return given if given and _HERE.fullmatch(given) and given != request.path else None


def _referring() -> str:
    referrer = request.referrer or ""
    return referrer.removeprefix(request.host_url.rstrip("/")) if referrer else ""
