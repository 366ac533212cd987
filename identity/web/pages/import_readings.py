"""How an uploaded file is read, as it is chosen, kept and shown.

The first rows stand for all: they are shown as they are understood, at once, while the plan of a
large file takes its time.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from identity import database, forgetting
from identity.caution.showing import legible
from identity.importing.cells import shown as cut
from identity.importing.columns import Chosen, Columns, Unrecognised, choose, labels
from identity.importing.dates import UNCLEAR
from identity.importing.files import CustomerFile, examine
from identity.importing.opening.room import LITTLE
from identity.importing.register import Listed
from identity.importing.rows import Read
from identity.importing.run import Source
from identity.importing.surveying import overlooked
from identity.web.domain import region

READ, SOURCE = "read", "source"
"""Under which the choices of an import keep how it is read, and who tells what it says."""
FIRST = 5
LOOKED_AT = 100
"""Rows in which examples of what a column holds are looked for."""
EXAMPLES = 3
ROLES = {
    "email": "Email",
    "phone": "Phone number",
    "created_at": "Created at",
    "country": "Country of the phone numbers",
    "reference": "Reference",
    "name": "Name",
}
"""What a column may hold, and how that is called."""
LOOKS = {
    "emails": "email",
    "phone numbers": "phone",
    "dates": "created_at",
    "names": "name",
    "ids": "reference",
}
"""What a column looks like, and what it may be then."""
NONE = ("",)
"""Chosen where no column is to be read as something that would be recognised."""


def chosen(choices: Mapping[str, Any] | None) -> Chosen:
    """Return how somebody chose that a file is read."""
    return Chosen.from_json((choices or {}).get(READ) or {})


def source(listed: Listed, content: bytes) -> Source:
    """Return a file, to be read as it was chosen."""
    return _source(listed.file_name, content, listed.choices)


def _source(name: str, content: bytes, choices: Mapping[str, Any] | None) -> Source:
    how = chosen(choices)
    file = examine(name, partial(io.BytesIO, content), how, LITTLE)
    return Source(file, how.region or region(), (choices or {}).get(SOURCE, ""))


def taken(
    name: str, content: bytes, choices: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how a file that was taken in is to be read at first: what is chosen, and shown.

    Where no column is known by its name, by what they hold. Raises the same as `shown`.
    """
    reading = shown(name, content, choices)
    if reading["recognised"] or not (guessed := _guessed(reading)):
        return choices, reading
    choices = choices | {READ: guessed}
    return choices, shown(name, content, choices) | {"guessed": True}


def asks(reading: Mapping[str, Any]) -> bool:
    """Tell whether somebody has to look at how a file is read before there is a plan."""
    return not reading["recognised"] or bool(reading.get("guessed") or reading.get("unclear"))


def _guessed(reading: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the columns to choose by what they look like; none where nothing is found."""
    looks: dict[str, list[str]] = {}
    for name, looks_like, _ in reading["overlooked"]:
        looks.setdefault(LOOKS[looks_like], []).append(name)
    for one in "created_at", "reference":
        looks[one] = looks.get(one, [])[:1]
    return looks if looks.keys() & {"email", "phone"} else {}


def shown(name: str, content: bytes, choices: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return how a file is read; raise `InvalidInput` when it is no table."""
    try:
        of = _source(name, content, choices)
    except Unrecognised as problem:
        return _unrecognised(name, content, problem.header)
    columns = of.file.columns
    return {
        "recognised": True,
        "file": str(of.file),
        "rows": of.file.count,
        "source": of.name,
        "columns": _columns(of.file, roles(columns)),
        "notes": [legible(note) for note in of.file.notes],
        "overlooked": [list(each) for each in columns.overlooked],
        "unclear": [each.name for each in columns.created_at if each.dates == UNCLEAR],
        "first": [_row(line, read) for line, read in of.first(FIRST, of.forgetful)],
    }


def _unrecognised(name: str, content: bytes, header: Sequence[str]) -> dict[str, Any]:
    # Whatever it holds: it is read to show what is in the columns.
    some = next(each for each in header if each.strip())
    file = examine(name, partial(io.BytesIO, content), Chosen(email=(some,)), LITTLE)
    told = {"recognised": False, "file": "", "rows": file.count, "source": ""}
    told |= {"notes": [legible(note) for note in file.notes]}
    looks = overlooked(file.header, (cells for _, cells in file.rows()))
    told |= {"overlooked": [list(each) for each in looks]}
    return told | {"columns": _columns(file, {}), "first": []}


def first(reading: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the first rows of what is kept, with moments as such."""
    return [
        row | {"created_at": row["created_at"] and datetime.fromisoformat(row["created_at"])}
        for row in reading["first"]
    ]


def roles(columns: Columns) -> dict[int, str]:
    """Return as what each column is read, by its place."""
    read = {
        "email": columns.emails,
        "phone": columns.phones,
        "created_at": columns.created_at,
        "country": columns.country,
        "reference": (columns.reference,) if columns.reference else (),
        "name": columns.name,
    }
    return {each.index: role for role, found in read.items() for each in found}


def choice(header: Sequence[str], wanted: Mapping[int, str]) -> dict[str, Sequence[str]]:
    """Return what to choose so that each column is read as it is wanted.

    What would be recognised so is left to that.
    """
    try:
        recognised = roles(choose(header))
    except Unrecognised:
        recognised = {}
    called = labels(header)
    chosen: dict[str, Sequence[str]] = {}
    for role in ROLES:
        places = [place for place in sorted(wanted) if wanted[place] == role]
        if set(places) != {place for place, each in recognised.items() if each == role}:
            chosen[role] = tuple(called[place] for place in places) or NONE
    return chosen


def _columns(file: CustomerFile, read: Mapping[int, str]) -> list[dict[str, Any]]:
    examples: list[dict[str, None]] = [{} for _ in file.header]
    _, is_erased = database.read(forgetting.recognizer)
    for _, cells in islice(file.rows(), LOOKED_AT):
        if is_erased and forgetting.stand_in(cells, is_erased):
            continue
        for found, cell in zip(examples, cells, strict=False):
            if len(found) < EXAMPLES and cell.strip():
                found[cut(legible(cell.strip()))] = None
    return [
        {"name": name, "as": read.get(place, ""), "examples": list(examples[place])}
        for place, name in enumerate(file.header)
    ]


def _row(line: int, read: Read) -> dict[str, Any]:
    calls, doubts = read
    first = calls[0] if calls else None
    return {
        "line": line,
        "emails": list(dict.fromkeys(call.email for call in calls if call.email)),
        "phones": list(dict.fromkeys(call.phone_number for call in calls if call.phone_number)),
        "created_at": first.dated.isoformat() if first and first.dated else None,
        "reference": first.reference if first else "",
        "name": first.name if first else "",
        "doubts": [[legible(each.column), each.reason, legible(each.value)] for each in doubts],
    }
