"""The sheets of an Excel workbook, read by a process that can do no harm."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from identity.errors import InvalidInput
from identity.importing.opening import archives, sheets, spool
from identity.importing.opening.kinds import AS_CSV, EXPORT, OLE, PROTECTED, ZIP, refuse
from identity.importing.opening.room import Room
from identity.importing.opening.spool import CHUNK, NO_ROOM, Opened, Spool

DAMAGED = "The workbook is damaged and cannot be read. Save it again, or fetch it again."
WITH_PASSWORD = "The workbook is protected with a password. Save it without one, and import that."  # noqa: S105
TOO_MUCH = (
    "Reading the workbook takes more than {:,} MB of memory, or {} minutes. "
    "Save the sheet with the customers as CSV, and import that."
)
OTHER = "a document", AS_CSV
OTHERS = {
    "word": ("a Word document", EXPORT),
    "ppt": ("a presentation", EXPORT),
    "index": ("a Numbers or Pages document", "Export it as CSV or Excel from there."),
    "mimetype": ("an OpenDocument (.ods) or another document", AS_CSV),
}
"""Other documents that are ZIP archives, by what is in them."""
SLOW = 5
"""How many times as long it may take where others have most of the processor."""
SMALLEST = 3
"""Bytes of a sheet in which there is anything."""
SAID = {sheets.DAMAGED: DAMAGED, sheets.PROTECTED: WITH_PASSWORD}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet, as CSV in UTF-8 with one row for each of its own."""

    name: str
    hidden: bool
    """If it is, it is not read."""
    opened: Opened
    empty: bool


def read(opened: Opened, room: Room) -> list[Sheet] | None:
    """Return the sheets of a workbook; None when the file is something else.

    Raise `InvalidInput` for a workbook that cannot be read, and for documents of other kinds.
    """
    with opened() as file:
        head = file.read(len(OLE))
        if head == OLE:
            raise _old(file)
        if not head.startswith(ZIP):
            return None
        inside = {name.partition("/")[0].lower() for name in archives.names(file)}
        if "xl" not in inside:
            raise refuse(*next((OTHERS[each] for each in OTHERS if each in inside), OTHER))
        file.seek(0)
        return _sheets(spool.kept(file), room)


def _sheets(workbook: Spool, room: Room) -> list[Sheet]:
    written = Spool()
    told = json.dumps((sys.path, room.memory, room.unpacked, room.seconds))
    command = [sys.executable, "-I", str(Path(sheets.__file__)), told]
    os.lseek(workbook.fileno(), 0, os.SEEK_SET)
    too_much = InvalidInput(TOO_MUCH.format(room.memory // 2**20, room.seconds // 60))
    try:
        done = subprocess.run(  # noqa: S603
            command,
            stdin=workbook.fileno(),
            stdout=written.fileno(),
            stderr=subprocess.PIPE,
            check=False,
            timeout=room.seconds * SLOW,
            # Whatever a workbook makes of its reader, no password is there to be found.
            env={},
        )
    except subprocess.TimeoutExpired:
        raise too_much from None
    if done.returncode == sheets.NO_ROOM:
        raise InvalidInput(NO_ROOM.format("it is full"))
    if done.returncode:
        # Whoever takes more than is allowed is ended by a signal, too.
        if done.returncode < 0 or done.returncode == sheets.TOO_LARGE:
            raise too_much
        raise InvalidInput(SAID.get(done.returncode, DAMAGED))
    return [_sheet(written, json.loads(line)) for line in done.stderr.splitlines()]


def _sheet(written: Spool, told: dict[str, Any]) -> Sheet:
    start, end = told["start"], told["end"]
    opened = partial(written.open, start, end)
    return Sheet(told["name"], told["hidden"], opened, end - start < SMALLEST)


def _old(file: BinaryIO) -> InvalidInput:
    before = b""
    while chunk := file.read(CHUNK):
        if PROTECTED in before + chunk:
            return InvalidInput(WITH_PASSWORD)
        before = chunk[-len(PROTECTED) :]
    return refuse("an old Excel workbook (.xls) or another old Office document", AS_CSV)
