"""Opening what was given: a file, a pipe or bytes, so that all passes over it read the same.

A file that another program still writes to would be half of one version and half of another.
"""

import io
import os
import stat
from collections.abc import Callable
from typing import Any, BinaryIO

from identity.errors import InvalidInput
from identity.importing.opening import spool
from identity.importing.opening.spool import CHUNK, Opened

CHANGED = (
    "The file was changed while it was being read: another program is still writing it, perhaps. "
    "Wait until it is done, and import it then."
)


def steady(opened: Opened) -> Opened:
    """Return what opens the same bytes each time; raise `InvalidInput` when nothing does."""
    try:
        with opened() as file:
            return _steady(opened, file)
    except OSError as error:
        raise InvalidInput(_unreadable(error)) from None


def _steady(opened: Opened, file: BinaryIO) -> Opened:
    try:
        status = os.fstat(file.fileno())
    except io.UnsupportedOperation:
        # In memory.
        return opened
    if stat.S_ISREG(status.st_mode):
        return Watched(opened, _version(status)).open
    if stat.S_ISBLK(status.st_mode) or _endless(status):
        raise InvalidInput("This is a device and not a file.")
    return spool.kept(file).open


class Watched:
    """A file of the disk, which has to stay as it was found."""

    def __init__(self, opened: Callable[[], BinaryIO], version: tuple[int, ...]) -> None:
        self._opened, self._version = opened, version

    def open(self) -> BinaryIO:
        """Open the file; this and each reading from it raise `InvalidInput` when it changed."""
        try:
            file = self._opened()
        except OSError as error:
            raise InvalidInput(_unreadable(error)) from None
        watching = _Watching(file, self._version)
        watching.check()
        return io.BufferedReader(watching, CHUNK)


class _Watching(io.RawIOBase):
    def __init__(self, file: BinaryIO, version: tuple[int, ...]) -> None:
        self._file, self._version = file, version

    def check(self) -> None:
        if _version(os.fstat(self._file.fileno())) != self._version:
            raise InvalidInput(CHANGED)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        try:
            read = self._file.readinto(buffer)  # type: ignore[attr-defined]
        except OSError as error:
            raise InvalidInput(_unreadable(error)) from None
        self.check()
        return int(read)

    def close(self) -> None:
        self._file.close()
        super().close()


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _endless(status: os.stat_result) -> bool:
    """Tell whether it is a device other than a terminal or nothing at all."""
    if not stat.S_ISCHR(status.st_mode):
        return False
    zero = "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"
    return status.st_rdev in {os.stat(path).st_rdev for path in zero if os.path.exists(path)}


def _unreadable(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "This is a directory. Name the file in it that is to be imported."
    if isinstance(error, PermissionError):
        return "The file cannot be read: you are not allowed to."
    return f"The file cannot be read: {error.strerror}."
