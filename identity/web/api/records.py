"""What is on record about one customer, thing by thing, as JSON."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from identity import database, disclosing
from identity.clusters import Member
from identity.disclosing import Brought, Forgetting, Item, Known, Look, Reader, Sent
from identity.events import Entry
from identity.recording import Line, Told
from identity.reviewing.findings import Noted
from identity.rulings import kinds
from identity.rulings.register import Registered
from identity.web.api import presenters

SECTIONS: dict[type[Item], str] = {
    Known: "identifiers",
    Told: "told",
    Brought: "imports",
    Registered: "rulings",
    Noted: "findings",
    Forgetting: "erasures",
    Entry: "history",
    Look: "looks",
    Sent: "webhooks",
    Reader: "keys",
}
"""What follows the contacts, in that order."""
NOT_KNOWN = (
    "Whom programs asked for with their keys: the log of the service tells which key asked what "
    "kind of question and when, not about whom. The keys are those that could be asked with.",
    "What people searched for: that they searched is on record.",
    "Who read the feed of changes, which tells ids and no email and no phone number.",
    "Backups, and files that were exported: those hold what was on record when they were made.",
)
"""What nobody can say from here."""


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


def as_json(primary_id: int) -> Iterator[str]:
    """Yield it piece by piece: contacts as they are read, and then the rest."""
    later: dict[str, list[str]] = {section: [] for section in SECTIONS.values()}
    with database.lookups() as connection:
        now = datetime.now(UTC).isoformat()
        yield f'{{"customer": {primary_id},\n"at": "{now}",\n"contacts": ['
        before = ""
        for item in disclosing.everything(connection, primary_id):
            said = json.dumps(told(item))
            if isinstance(item, Member):
                yield f"{before}\n{said}"
                before = ","
            else:
                later[SECTIONS[type(item)]].append(said)
    for section, lines in later.items():
        yield f'\n],\n"{section}": [\n' + ",\n".join(lines)
    yield f'\n],\n"notKnown": {json.dumps(NOT_KNOWN)}}}\n'


def told(item: Item) -> dict[str, Any]:
    """Return one thing that is on record, as JSON has it."""
    match item:
        case Known():
            return _known(item)
        case Brought():
            given = {"givenBy": item.given_by, "givenAt": item.given_at.isoformat()}
            named = {"id": item.id, "fileName": item.file_name, "source": item.source}
            return named | given | {"keepsRejectedRows": item.rejects}
        case Noted():
            return _finding(item)
        case Forgetting():
            at = item.at.isoformat()
            return {"id": item.id, "by": item.by, "at": at, "reason": item.reason}
        case Look():
            at, what = item.at.isoformat(), item.what.value
            return {"at": at, "who": item.who, "what": what, "about": item.about}
        case Sent():
            span = {"first": item.first.isoformat(), "last": item.last.isoformat()}
            return {"id": item.webhook_id, "host": item.host, "messages": item.messages} | span
        case Reader():
            revoked = item.revoked_at and item.revoked_at.isoformat()
            named = {"name": item.name, "scopes": item.scopes}
            return named | {"createdAt": item.created_at.isoformat(), "revokedAt": revoked}
    return on_record(item)


def _known(known: Known) -> dict[str, Any]:
    return kinds.reference(known.value) | {
        "contact": known.contact_id,
        "since": known.since.isoformat(),
        "sources": [
            {"source": each.source, "toldAt": each.told_at.isoformat(), "import": each.import_id}
            for each in known.origins
        ],
    }


def _finding(kept: Noted) -> dict[str, Any]:
    return {
        "id": kept.id,
        "kind": kept.kind.value,
        "many": kept.many,
        "foundAt": kept.found_at.isoformat(),
        "fineBy": kept.fine_by,
        "fineAt": kept.fine_at and kept.fine_at.isoformat(),
    }
