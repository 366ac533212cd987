"""What is on record about one customer, thing by thing, as JSON."""

from typing import Any

from identity.clusters import Member
from identity.recording import Line, Told
from identity.rulings.register import Registered
from identity.web.api import presenters


def on_record(line: Line) -> dict[str, Any]:
    """Return one thing that is on record about a customer."""
    match line:
        case Member():
            return presenters.contact(line)
        case Told():
            return _claim(line)
        case Registered():
            return presenters.ruling(line)
    return {
        "id": line.id,
        "at": line.occurred_at.isoformat(),
        "kind": line.kind.value,
        "source": line.source,
        "customer": line.primary_id,
        "contact": line.contact_id,
        "email": line.email,
        "phoneNumber": line.phone_number,
        "detail": line.detail,
    }


def _claim(told: Told) -> dict[str, Any]:
    claim = told.claim
    return {
        "email": claim.email,
        "phoneNumber": claim.phone_number,
        "source": claim.source,
        "toldAt": claim.told_at.isoformat(),
        "date": claim.dated_at.isoformat(),
        "import": claim.import_id,
        "stands": claim.stands,
        "heldBy": claim.held_by,
        "references": [
            {"reference": reference or None, "name": name or None, "import": import_id}
            for reference, name, import_id in told.references
        ],
    }
