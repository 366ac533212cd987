"""What whoever runs the service asks it: is it alive, is it ready, what has it done."""

from functools import cache

from alembic.script import ScriptDirectory
from flask import Response, current_app, jsonify

from identity import database, forgetting
from identity.errors import Unavailable
from identity.web import blueprint, metrics
from identity.web.api.schemas import Status
from identity.web.marks import May, allow, describe, quick, quiet

READY_SECONDS = 0.8
"""What is left of a second is for saying so."""


@blueprint.get("/health")
@allow(May.ANYONE)
@describe(Status)
@quick
@quiet
def health() -> Response:
    """Answer 200 for as long as the process answers at all."""
    return jsonify(status="ok")


@blueprint.get("/ready")
@allow(May.ANYONE)
@describe(Status, errors=(503,))
@quick
@quiet
def ready() -> Response:
    """Answer 200 when the database answers within a second and has the tables of this version.

    An SQLite file must be whole, and there must be room for what comes next. The keys must be there
    by which people who were erased are known again.

    Those of a later version will do: they are made while the version before still serves.
    """
    with database.within(READY_SECONDS):
        database.check()
        revision = database.revision()
        if revision is None or revision in _earlier(current_app.extensions["migrate"].directory):
            raise Unavailable(
                "The database does not have this version's tables yet. Run: flask db upgrade."
            )
        database.read(forgetting.remembers)
    return jsonify(status="ok")


@blueprint.get("/metrics")
@allow(May.METRICS)
@describe()
@quick
@quiet
def metrics_page() -> Response:
    """Answer with all counts, for Prometheus."""
    text, kind = metrics.exposition()
    return Response(text, content_type=kind)


@cache
def _earlier(directory: str) -> set[str]:
    _, *earlier = ScriptDirectory(directory).walk_revisions()
    return {migration.revision for migration in earlier}
