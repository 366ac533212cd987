"""All that is on record about one customer, for the person who asks, as JSON."""

from flask import Response, stream_with_context

from identity.auditing import Deed
from identity.web import blueprint, domain, paths
from identity.web.api import records
from identity.web.api.access_schemas import Access
from identity.web.marks import May, allow, describe, recorded


@blueprint.get(f"{paths.CLUSTER}/access.json")
@allow(May.STEWARD)
@describe(Access, errors=(404, 410))
@recorded(Deed.ACCESS_GIVEN)
def access_json(contact_id: int) -> Response:
    """Answer with all that is on record about a customer: what, from where, and who was told."""
    primary_id = domain.head_of(contact_id)[0].id
    name = f"access-{primary_id}.json"
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    parts = stream_with_context(records.as_json(primary_id))
    return Response(parts, mimetype="application/json", headers=headers)
