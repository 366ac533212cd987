"""What makes the application answer: views, errors, and what stands before every view."""

from flask import Flask

from identity.config import Config
from identity.web import blueprint, callers, observing, operating, pages
from identity.web.api import batches, calls, disclosures, erasures, following, rulings, why
from identity.web.counters import shared_file
from identity.web.errors import answer_every_error
from identity.web.limits import Limiter
from identity.web.pages import telling, wording
from identity.web.security import secure

VIEWS = batches, calls, disclosures, erasures, following, rulings, why, operating, pages
"""Where they are. Each hung itself on the blueprint when its module was imported."""


def begin(app: Flask, config: Config) -> None:
    """Let the app answer."""
    app.config["LIMITER"] = Limiter(shared_file(config.database_url))
    # First, so that every request has an id and a line, refused ones too.
    observing.observe(app)
    secure(app, config)
    # What it redirected to would be on the host that the caller named.
    app.url_map.merge_slashes = False
    # The contract's order of keys, not the alphabet's.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(blueprint)
    wording.teach(app)
    app.add_template_filter(telling.sentence, "told")
    app.add_template_filter(telling.imported)
    for asked in callers.may_use, callers.may_follow, callers.signed_in:
        app.add_template_global(asked)
    answer_every_error(app)
