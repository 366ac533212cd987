"""How far a long command is: rows, rate, time left. Silent when nobody looks."""

import sys
import time
from contextlib import ExitStack
from typing import Any, Self

import click

PATIENCE = 1.0
"""Seconds a command may take without saying anything."""


class Progress:
    """A bar that appears after a second, and only on a terminal."""

    def __init__(self, rows: int, unit: str = "rows") -> None:
        """Expect that many rows, or whatever they are called."""
        self._rows = rows
        self._unit = unit
        self._done = 0
        self._begun = time.monotonic()
        self._stack = ExitStack()
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, rows: int) -> None:
        """Hear that so many more rows are done with."""
        self._done += rows
        seconds = time.monotonic() - self._begun
        if self._bar is None and seconds > PATIENCE and sys.stderr.isatty():
            bar = click.progressbar(
                length=self._rows, show_pos=True, item_show_func=self._rate, file=sys.stderr
            )
            self._bar = self._stack.enter_context(bar)
            self._bar.update(self._done - rows)
        if self._bar is not None:
            self._bar.update(rows, current_item=self._done / seconds)

    def _rate(self, rows_a_second: float | None) -> str | None:
        return None if rows_a_second is None else f"{rows_a_second:,.0f} {self._unit}/s"
