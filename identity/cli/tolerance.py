"""How much of a file may be in doubt before a scheduled job is to import nothing of it."""

from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import click

from identity.importing.run import Source, Watcher
from identity.importing.tally import Tally


class Tolerance(NamedTuple):
    """Rows that may be in doubt: so many, or so many of a hundred."""

    number: Decimal
    is_share: bool

    def allows(self, doubted: int, rows: int) -> bool:
        """Tell whether so many of so many rows are few enough."""
        return doubted <= (self.number * rows / 100 if self.is_share else self.number)

    def __str__(self) -> str:
        return f"{self.number}%" if self.is_share else str(self.number)


class Tolerated(click.ParamType[Tolerance]):
    """Reads `1%` and `50`."""

    name = "tolerance"

    def convert(self, value: Any, *_: object) -> Tolerance:
        """Return what was typed."""
        if isinstance(value, Tolerance):
            return value
        typed = str(value).strip()
        is_share = typed.endswith("%")
        try:
            number = Decimal(typed.removesuffix("%").strip())
        except InvalidOperation:
            number = Decimal(-1)
        if number.is_nan() or not 0 <= number <= (100 if is_share else 10**12):
            self.fail("it is a share of the rows, such as 1%, or a number of rows, such as 50.")
        if not is_share and number != number.to_integral_value():
            self.fail("there are no halves of rows: 1% is a share.")
        return Tolerance(number, is_share)


def doubts_of(source: Source, watcher: Watcher | None = None) -> Tally:
    """Return what of a file cannot be used, by reading it only; tell a watcher of each row."""
    tally = Tally(0)
    for batch in source.reading.batches():
        tally.rows += batch.rows
        for line, doubts, cells, used in batch.doubtful:
            tally.doubt(line, doubts, used=used)
            if watcher is not None:
                watcher.doubted(line, doubts, cells, used=used)
    return tally
