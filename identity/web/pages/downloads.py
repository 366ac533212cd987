"""Files to take away: the customers, the contacts, the rejected rows of an import."""

from flask import Response, stream_with_context

from identity import exporting
from identity.auditing import Deed
from identity.errors import NotFound
from identity.exporting import What
from identity.importing import register
from identity.web import blueprint, paths
from identity.web.marks import May, allow, recorded


@blueprint.get(f"{paths.IMPORT}/rejects.csv")
@allow(May.RULE)
@recorded(Deed.REJECTS_TAKEN)
def rejects(import_id: int) -> Response:
    """Send the rows of an uploaded file that could not be used."""
    content = register.rejects(import_id)
    if content is None:
        raise NotFound(f"There are no rejected rows of import {import_id}.")
    return _csv(content, f"import-{import_id}-rejects.csv")


@blueprint.get("/export/<any(customers, contacts):what>.csv")
@allow(May.RULE)
@recorded(Deed.EXPORTED)
def export(what: str) -> Response:
    """Send all customers or all contacts, as they are read."""
    return _csv(stream_with_context(exporting.parts(What(what))), f"{what}.csv")


def _csv(body: object, name: str) -> Response:
    # A page elsewhere must not be able to show it, nor a browser to guess at it.
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(body, mimetype="text/csv", headers=headers)  # type: ignore[arg-type]
