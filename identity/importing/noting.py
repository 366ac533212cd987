"""What is said of a file as a whole: what was left out of it, and what may be wrong with it."""

from collections import Counter
from collections.abc import Sequence

from identity.counting import counted
from identity.importing.columns import plain
from identity.importing.inspecting import Inspection
from identity.importing.opening.tables import Table
from identity.importing.opening.wording import shown
from identity.importing.opening.workbooks import Sheet

SHOWN = 3
SHEETS = 10
"""Of those that are not read, so many are named."""


def of_table(table: Table) -> list[str]:
    """Tell what stands above the header, and which names are in it twice."""
    notes: list[str] = []
    if table.above:
        told = ", ".join(f"“{shown(line)}”" for line in table.above[:SHOWN])
        number = counted(len(table.above), "line")
        notes.append(f"The header is line {table.line:,}: {number} above it left out, {told}.")
    twice = [name for name, times in Counter(map(plain, table.header)).items() if times > 1]
    notes += [f"Several columns are called “{shown(name)}”." for name in twice[:SHOWN] if name]
    return notes


def of_rows(inspection: Inspection) -> list[str]:
    """Tell what was found among the rows."""
    notes: list[str] = []
    if inspection.cells:
        number = counted(inspection.cells, "cell")
        notes.append(f"In {number} there are bytes that are no text: only these are in doubt.")
    if inspection.repeated:
        times = counted(inspection.repeated, "time")
        notes.append(f"The header comes again {times}, as where files were joined: left out.")
    if inspection.summary:
        line, cells = inspection.summary
        told = shown(" ".join(filter(None, cells)))
        notes.append(f"The last row, line {line:,}, sums up and was left out: “{told}”.")
    return notes


def of_sheets(sheets: Sequence[Sheet], read: Sheet) -> list[str]:
    """Tell which sheets are not read."""
    others = [each for each in sheets if each is not read and (each.hidden or not each.empty)]
    if not others:
        return []
    named = ", ".join(
        f"“{shown(each.name)}”{' (hidden)' * each.hidden}" for each in others[:SHEETS]
    )
    more = f" and {len(others) - SHEETS:,} more" if len(others) > SHEETS else ""
    return [f"Of the other sheets nothing was read: {named}{more}."]
