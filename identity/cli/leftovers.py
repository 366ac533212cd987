"""Where the rows go that cannot be used: opened before anything is written, and never over a file.

Somebody may have begun to mend what is there. Until all rows are in it, the file is called .part.
"""

import filecmp
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO, Self, TextIO

import click

from identity import drafts
from identity.cli import exits
from identity.importing.files import CustomerFile
from identity.importing.rejects import Rejects

STDOUT = Path("-")
ENDING = ".rejects"
PART = ".part"


def beside(given: Path) -> Path:
    """Return where the rows of a file go when nobody says where."""
    if given == STDOUT:
        return Path(f"stdin{ENDING}.csv")
    stem = given.name.removesuffix(given.suffix)
    # Of what was mended and is rejected again.
    first, _, number = stem.partition(f"{ENDING}-")
    stem = first if number.isdecimal() else stem.removesuffix(ENDING)
    name = f"{stem}{ENDING}.csv"
    # There is nothing beside a pipe.
    return given.with_name(name) if given.is_file() else Path(name)


def check(place: Path, given: Path) -> None:
    """Exit with 2 when the rows would go where they come from."""
    with suppress(FileNotFoundError):
        # By another name, too: a link leads to the same file.
        if place.samefile(given):
            raise click.UsageError(f"--rejects {place} is the file that is imported.")


class Leftovers:
    """The rejected rows of an import; its block ends when there are no more."""

    def __init__(self, file: CustomerFile, place: Path | None, stdout: TextIO) -> None:
        """Open that place, or one beside it; None keeps nothing. Raise OSError when it cannot."""
        self._stdout = stdout
        self.where: Path | None = None
        """Where the rows are; None while there are none."""
        self._place: Path | None = None
        self._part: Path | None = None
        self.lost = False
        """Whether there was no room for all of them."""
        out = self._open(place) if place else None
        self._out = out
        self._rejects = Rejects(file.header, (lambda: out) if out else None, file.separator)

    def _open(self, place: Path) -> BinaryIO:
        if place == STDOUT:
            self._place = place
            return self._stdout.buffer
        if drafts.is_no_place(place):
            self._place = place
            return drafts.as_it_is(place)
        return self._begin(place)

    def _begin(self, asked: Path) -> BinaryIO:
        for place in _free(asked):
            part = place.with_name(place.name + PART)
            try:
                out = drafts.new(part)
            except FileExistsError:
                continue
            except OSError as error:
                # Nobody has named the part.
                error.filename = str(asked)
                raise
            self._place, self._part = place, part
            return out
        raise AssertionError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with suppress(OSError):
            self._rejects.flush()
        if self._place == STDOUT or self._out is None:
            return
        with suppress(OSError):
            self._out.close()
        if self._part is None:
            return
        if self.where is None:
            self._part.unlink(missing_ok=True)
        elif kind is None and not self.lost and self._place:
            self.where = _put(self._part, self._place)

    def add(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Keep a row; where there is no room for it, say so once."""
        if self.lost or self._out is None:
            return
        try:
            self._rejects.add(line, reason, cells)
            self.where = self._part or self._place
        except OSError as error:
            self._lose(error)

    def flush(self) -> None:
        """Make sure that what was kept outlives this process."""
        if not self.lost:
            try:
                self._rejects.flush()
            except OSError as error:
                self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost = True
        self.where = self._part or self._place
        if self._place == STDOUT:
            exits.hush(self._stdout)
        click.echo(exits.unwritable(self.where, error), err=True)
        click.echo(
            "Not all rows of which something cannot be used are kept there. Everything else goes "
            "on, and importing the file again tells of them again.",
            err=True,
        )

    def tell(self) -> None:
        """Print where the rows are."""
        if self.where is None or self.where == STDOUT:
            return
        if self.lost:
            click.echo(f"Some of these rows are in {self.where}.")
        else:
            click.echo(f"These rows are in {self.where}: mend them there and import that file.")


def _free(asked: Path) -> Iterator[Path]:
    """Yield the names that nothing has yet: that one, or it with a number."""
    place = Path(os.path.realpath(asked))
    for number in count(1):
        name = place.name if number == 1 else f"{place.stem}-{number}{place.suffix}"
        free = place.with_name(name)
        if not free.exists() or not free.stat().st_size:
            yield free


def _put(part: Path, place: Path) -> Path:
    """Call a file what it is to be called, or the next name; return it."""
    for before in _earlier(place):
        if filecmp.cmp(before, part, shallow=False):
            # Last night's, say, and nobody has mended it yet.
            part.unlink()
            return before
    if place.exists() and place.stat().st_size:
        # Somebody made it meanwhile.
        return part
    part.replace(place)
    return place


def _earlier(place: Path) -> Iterator[Path]:
    """Yield the file before this one, if there is one."""
    stem, _, number = place.stem.rpartition("-")
    if number.isdecimal():
        name = stem if number == "2" else f"{stem}-{int(number) - 1}"
        before = place.with_name(f"{name}{place.suffix}")
        if before.is_file():
            yield before
