"""Files that appear whole or not at all: written beside their place, and moved there at the end.

Only where a regular file is, or nothing yet. A pipe, a terminal or a device is written to as it
is: a file that is moved to its place would stand there instead, for everybody on the machine.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

OWNERS = 0o700
"""What is left of a file's permissions when it cannot be given to whose it was."""


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Give what becomes that file when the block ends, unless it ends with an exception.

    Until then it is for its owner's eyes only; then it has the permissions of the file it replaces.
    A link stays a link. Raise OSError when it cannot be written.
    """
    if is_no_place(path):
        with as_it_is(path) as out:
            yield out
        return
    place = Path(os.path.realpath(path))
    if place.exists() and not os.access(place, os.W_OK):
        # To move a file there takes no leave to write to it.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    draft, opened = begin(place)
    try:
        with opened:
            yield opened
            finish(draft, opened, place)
    finally:
        draft.unlink(missing_ok=True)


def is_no_place(path: Path) -> bool:
    """Tell whether a path leads to what no file may replace: a pipe, a device, something open."""
    try:
        return not stat.S_ISREG(path.stat().st_mode) or _is_open_elsewhere(path)
    except FileNotFoundError:
        return False


def as_it_is(path: Path) -> BinaryIO:
    """Open what is no place for a file, to write to it."""
    # Not from its beginning: what stdout leads to may be a file with something in it.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "wb")


def new(path: Path) -> BinaryIO:
    """Make a file that nobody else may read; raise `FileExistsError` where there is one."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def begin(place: Path) -> tuple[Path, BinaryIO]:
    """Return a new file beside a place, open for writing, that nobody else may read."""
    # Short of what a file system takes for a name, of which there may be four bytes a letter.
    number, name = tempfile.mkstemp(".part", f".{place.name[:40]}.", place.parent)
    return Path(name), os.fdopen(number, "wb")


def finish(draft: Path, out: BinaryIO, place: Path) -> None:
    """Move a draft to its place, once the disk has all of it."""
    out.flush()
    # A full disk may be told of only now.
    os.fsync(out.fileno())
    if place.exists():
        os.fchmod(out.fileno(), _permissions(out, place.stat()))
    draft.replace(place)


def _is_open_elsewhere(path: Path) -> bool:
    """Tell whether a path names something open, as /dev/stdout does, and no place."""
    while True:
        folder = path.parent.resolve()
        if folder.is_relative_to("/proc"):
            return True
        if not path.is_symlink():
            return False
        path = folder / path.readlink()


def _permissions(out: BinaryIO, before: os.stat_result) -> int:
    """Return the permissions of the file that was there, and give ours to its owner."""
    try:
        os.fchown(out.fileno(), before.st_uid, before.st_gid)
    except PermissionError:
        return before.st_mode & OWNERS
    return stat.S_IMODE(before.st_mode)
