"""Where the table of a text begins and what separates it: found by names, and by its shape."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from identity.errors import InvalidInput
from identity.importing.columns import Chosen, labels, named, plain, recognised
from identity.importing.opening.texts import QUIRK, Row, Text

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_AT = 60
"""Rows by which it is judged."""
ABOVE = 40
"""How many of them may stand above the header: titles, dates of reports and their filters."""
WIDEST = 16_384
"""Columns, as in Excel: each is looked at, and shown to whoever chooses some."""
PHONE = re.compile(r"'?\+?[\d\s()./-]{7,}")
NO_HEADER = (
    "The file has no header: line {:,} seems to be a customer already. Put a line above it that "
    "names its columns, such as “{}”."
)


@dataclass(frozen=True, slots=True)
class Table:
    """How a text is separated, and its header."""

    separator: str
    header: tuple[str, ...]
    line: int
    """That of the header."""
    above: tuple[str, ...]
    """What is told above the header."""


def find(text: Text, chosen: Chosen) -> Table:
    """Return the table of a text; raise `InvalidInput` when there is no row in it."""
    told = _told(text)
    tried, problems = [], []
    for separator in [told] if told else SEPARATORS:
        try:
            tried.append(_Trial(text, separator, chosen))
        except InvalidInput as problem:
            # Quotes that are right with another separator need not make sense with this one.
            problems.append(problem)
    best = max(tried, key=lambda each: each.score, default=None)
    if best is None or (problems and not best.matched):
        raise problems[0]
    if not best.rows:
        raise InvalidInput("The file is empty.")
    line, header = best.rows[best.place]
    if len(header) > WIDEST:
        raise InvalidInput(
            f"Line {line:,} has {len(header):,} columns, and a table has at most {WIDEST:,}: "
            "perhaps all of the file is one line. Write each customer into a line of its own."
        )
    if not best.matched and not _chosen(chosen) and _is_customer(header):
        raise InvalidInput(NO_HEADER.format(line, best.separator.join(_guessed(header))))
    above = tuple(" ".join(filter(None, cells)) for _, cells in best.rows[: best.place])
    return Table(best.separator, tuple(map(_name, header)), line, above)


def _name(cell: str) -> str:
    # Of a name it need not be known what is wrong with it, but it has to be shown and kept.
    return cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _Trial:
    """The first rows as one separator makes them."""

    def __init__(self, text: Text, separator: str, chosen: Chosen) -> None:
        self.separator = separator
        first = list(islice(text.rows(separator), LOOKED_AT))
        self.rows = first[1:] if first and _is_quirk(first[0]) else first
        names = {plain(name) for name in _chosen(chosen)}
        self._matches = [_matches(cells, names) for _, cells in self.rows[:ABOVE]]
        self.matched = max(self._matches, default=0)
        self.place = self._place()

    def _place(self) -> int:
        """Return which row is the header."""
        if self.matched:
            return self._matches.index(self.matched)
        # As wide as most rows are: titles are narrower.
        widths = Counter(len(cells) for _, cells in self.rows)
        usual = max(widths, key=widths.__getitem__, default=0)
        return next((n for n, (_, cells) in enumerate(self.rows) if len(cells) == usual), 0)

    @property
    def score(self) -> tuple[int, float, int]:
        """What is known of the header, then how many rows are as wide as it, then how wide."""
        if not self.rows:
            return 0, 0.0, 0
        width = len(self.rows[self.place][1])
        below = [len(cells) for _, cells in self.rows[self.place + 1 :]]
        alike = sum(each == width for each in below) / (len(below) or 1) if width > 1 else 0.0
        return self.matched, alike, width


def _chosen(chosen: Chosen) -> list[str]:
    columns = chosen.email, chosen.phone, chosen.created_at, chosen.country, chosen.reference
    return [name for names in (*columns, chosen.name) for name in names if name]


def _matches(cells: Sequence[str], names: set[str]) -> int:
    if not names:
        return recognised(cells)
    return recognised(cells) + 3 * len(names & {*named(cells), *map(plain, labels(cells))})


def _told(text: Text) -> str | None:
    """Return the separator that the first line tells, as in "sep=;"."""
    with text.lines() as lines:
        first = lines.readline(len(QUIRK) + 4).lstrip("\ufeff").strip('\r\n"')
    told = first.removeprefix(QUIRK)
    return told if first.startswith(QUIRK) and len(told) == 1 else None


def _is_quirk(row: Row) -> bool:
    line, cells = row
    return line == 1 and cells[0].startswith(QUIRK) and len("".join(cells)) <= len(QUIRK) + 1


def _is_customer(cells: Sequence[str]) -> bool:
    return any(_guess(cell) for cell in cells)


def _guess(cell: str) -> str:
    text = cell.strip()
    name, at, domain = text.partition("@")
    if at and name and "." in domain and " " not in text:
        return "email"
    return "phone" if PHONE.fullmatch(text) and sum(map(str.isdigit, text)) >= 7 else ""


def _guessed(cells: Sequence[str]) -> list[str]:
    """Return a header for such a row, with each name once."""
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, start=1):
        name = _guess(cell)
        names[name if name and name not in names else f"column {number}"] = None
    return list(names)
