"""A program by itself, which writes the sheets of a workbook as CSV.

The library that reads them takes all the memory that a sheet asks for, and ends the process when
there is none: two cells in the farthest corners of a sheet ask for 500 GB. So it runs in a process
of its own, in which only so much is allowed.

Takes the workbook as its standard input, writes to its standard output, and tells on its standard
error where each sheet begins and ends there. What else it says, its exit code says.
"""

import csv
import errno
import io
import json
import sys
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

DAMAGED, PROTECTED, TOO_LARGE, NO_ROOM = 3, 4, 5, 6
EXACT = 10**15
"""A spreadsheet keeps 15 digits of a number. What is longer has lost its last ones."""


def main() -> None:
    """Write all sheets that can be seen."""
    path, memory, written, seconds = json.loads(sys.argv[1])
    _confine(memory, written, seconds)
    # Found where the one that started this found it.
    sys.path[:] = path
    from python_calamine import CalamineError, PasswordError

    try:
        _write()
    except PasswordError:
        sys.exit(PROTECTED)
    except (CalamineError, ValueError, OverflowError):
        sys.exit(DAMAGED)
    except MemoryError:
        sys.exit(TOO_LARGE)
    except OSError as error:
        sys.exit(TOO_LARGE if error.errno == errno.EFBIG else NO_ROOM)


def _confine(memory: int, written: int, seconds: int) -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CPU, seconds),
    ):
        # Where there is less, less it is.
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write() -> None:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook

    workbook = load_workbook(sys.stdin.buffer)
    out = sys.stdout.buffer
    for place, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        start, hidden = out.tell(), sheet.visible != SheetVisibleEnum.Visible
        if not hidden:
            text = io.TextIOWrapper(out, "utf-8", newline="")
            rows = workbook.get_sheet_by_index(place).iter_rows()
            csv.writer(text).writerows(_as_texts(rows))
            text.detach()
        told = {"name": sheet.name, "hidden": hidden, "start": start, "end": out.tell()}
        sys.stderr.write(f"{json.dumps(told)}\n")


def _as_texts(rows: Iterable[list[Any]]) -> Iterable[list[str]]:
    for row in rows:
        yield [cell if type(cell) is str else as_text(cell) for cell in row]


def as_text(cell: Any) -> str:
    """Return a cell as whoever made the sheet would have written it into a CSV file."""
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() | int():
            return _number(cell)
        case datetime():
            return cell.isoformat(" ", "seconds").removesuffix(" 00:00:00")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)


def _number(number: float) -> str:
    if abs(number) >= EXACT:
        # Like the spreadsheet itself, so that nobody takes it for what was typed.
        return f"{number:.15G}"
    return str(int(number)) if number == int(number) else f"{number:.15g}"


if __name__ == "__main__":
    main()
