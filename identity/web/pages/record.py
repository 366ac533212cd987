"""Everything on record about one customer, to take away: as JSON, and as CSV for spreadsheets."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

from identity import database, exporting, formulas, recording
from identity.auditing import Deed
from identity.clusters import Member
from identity.events import Entry
from identity.recording import Line, Told
from identity.rulings.register import Registered
from identity.web import blueprint, domain, paths
from identity.web.api import records
from identity.web.marks import May, allow, recorded
from identity.web.pages import ruling_words

CHUNK = 500
"""Rows that are written at a time."""
HEADER = (
    *("what", "id", "email", "phone_number", "date", "source", "import_id", "reference", "name"),
    *("state", "more"),
)
SECTIONS = {Member: "contacts", Told: "told", Registered: "rulings", Entry: "history"}
STANDS = {True: "stands", False: "undone"}


@blueprint.get(f"{paths.CLUSTER}/record.json")
@allow(May.RULE)
@recorded(Deed.RECORD_TAKEN)
def record_json(contact_id: int) -> Response:
    """Send everything on record about a customer as JSON."""
    primary_id = domain.head_of(contact_id)[0].id
    return _file(_as_json(primary_id), "application/json", f"customer-{primary_id}.json")


@blueprint.get(f"{paths.CLUSTER}/record.csv")
@allow(May.RULE)
@recorded(Deed.RECORD_TAKEN)
def record_csv(contact_id: int) -> Response:
    """Send everything on record about a customer as CSV."""
    primary_id = domain.head_of(contact_id)[0].id
    return _file(_as_csv(primary_id), "text/csv", f"customer-{primary_id}.csv")


def _file(parts: Iterator[str], mimetype: str, name: str) -> Response:
    # A page elsewhere must not be able to show it, nor a browser to guess at it.
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(stream_with_context(parts), mimetype=mimetype, headers=headers)


def _as_json(primary_id: int) -> Iterator[str]:
    """Yield a list of each kind, one entry a line. Contacts and tellings come chunk by chunk."""
    later: dict[str, list[str]] = {section: [] for section in SECTIONS.values()}
    with database.lookups() as connection:
        yield f'{{"customer": {primary_id},\n"contacts": ['
        before = ""
        for line in recording.lines(connection, primary_id):
            told = json.dumps(records.on_record(line))
            if isinstance(line, Member):
                yield f"{before}\n{told}"
                before = ","
            else:
                later[SECTIONS[type(line)]].append(told)
    for section in ("told", "rulings", "history"):
        yield f'\n],\n"{section}": [\n' + ",\n".join(later[section])
    yield "\n]}\n"


def _as_csv(primary_id: int) -> Iterator[str]:
    yield exporting.as_csv([HEADER])
    with database.lookups() as connection:
        for line in recording.lines(connection, primary_id):
            yield exporting.as_csv([_safe(row) for row in _rows(line)])


def _rows(line: Line) -> Iterable[Sequence[Any]]:
    """Return the rows of one entry: a claim has one for each of its references."""
    match line:
        case Member():
            who = line.id, line.email, line.phone_number, line.created_at.isoformat()
            return [("contact", *who, None, None, None, None, line.precedence.value, None)]
        case Told():
            return _rows_told(line)
        case Registered():
            said = line.said.at.isoformat(), line.said.by, None, None, None
            state = STANDS[line.withdrawn is None]
            words = ruling_words.sentence(line.what).striptags()
            return [("ruling", line.id, None, None, *said, state, words)]
    happened = line.occurred_at.isoformat(), line.source, None, None, None, line.kind.value
    detail = json.dumps(line.detail) if line.detail else None
    return [("history", line.id, line.email, line.phone_number, *happened, detail)]


def _rows_told(told: Told) -> Iterator[Sequence[Any]]:
    claim = told.claim
    state = "withdrawn" if not claim.stands else "held" if claim.held_by else "stands"
    said = claim.id, claim.email, claim.phone_number, claim.dated_at.isoformat(), claim.source
    for reference, name, import_id in told.references or (("", "", claim.import_id),):
        yield ("told", *said, import_id, reference, name, state, claim.told_at.isoformat())


def _safe(row: Sequence[Any]) -> Sequence[Any]:
    # A number may begin with a plus, and is safe: it holds digits only.
    place = HEADER.index("phone_number")
    return [
        formulas.guarded(cell) if isinstance(cell, str) and number != place else cell
        for number, cell in enumerate(row)
    ]
