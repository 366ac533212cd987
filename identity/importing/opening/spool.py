"""A private copy of bytes that come only once, or that had to be unpacked.

It has no name in any folder, so nobody else can open it, and it is gone with whoever made it,
however that ends.
"""

import io
import os
import tempfile
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, BinaryIO

from identity.errors import InvalidInput

Opened = Callable[[], BinaryIO]
"""Opens the file for reading bytes, from its beginning, as often as it is called."""

CHUNK = 2**20
LARGEST = 64 * 2**30
"""In bytes, what is copied or unpacked: a pipe may have no end."""
TOO_LARGE = f"More than {LARGEST // 2**30} GB came, and no end of it. Import it in parts."
NO_ROOM = (
    "The file has to be unpacked or copied for a while, and that failed: {}. "
    "Free some space, or set TMPDIR to a folder that has more."
)


class Spool:
    """Bytes that can be read as often as one likes, by several readers at once."""

    def __init__(self, file: BinaryIO | None = None) -> None:
        """Keep the bytes in `file`, by default one that nobody else can open."""
        self._file = file or _temporary()
        weakref.finalize(self, self._file.close)

    @property
    def size(self) -> int:
        """How many bytes are in it."""
        return os.fstat(self._file.fileno()).st_size

    def fileno(self) -> int:
        """Return what the system calls the open file."""
        return self._file.fileno()

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """Open it, or the part of it between two places, for reading."""
        part = _Part(self, start, self.size if end is None else end)
        return io.BufferedReader(part, CHUNK)

    def fill(self, chunks: Iterable[bytes], largest: int, too_large: str) -> None:
        """Write what comes; raise `InvalidInput` saying `too_large` when it is more than that."""
        written = 0
        for chunk in chunks:
            written += len(chunk)
            if written > largest:
                raise InvalidInput(too_large)
            try:
                self._file.write(chunk)
            except OSError as error:
                raise InvalidInput(NO_ROOM.format(error.strerror)) from None


class _Part(io.RawIOBase):
    """A part of a spool, read from places rather than onward: the place is not shared."""

    def __init__(self, spool: Spool, start: int, end: int) -> None:
        # Holds the spool as well, which would close its file when nobody does.
        self._spool, self._start, self._end, self._at = spool, start, end, start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        if base + offset < self._start:
            raise OSError("That is before the beginning.")
        self._at = base + offset
        return self._at - self._start

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), max(self._end - self._at, 0))
        read = os.pread(self._spool.fileno(), wanted, self._at)
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)


def kept(source: BinaryIO) -> Spool:
    """Return a copy of all that comes from `source`."""
    spool = Spool()
    spool.fill(iter(partial(source.read, CHUNK), b""), LARGEST, TOO_LARGE)
    return spool


def _temporary() -> BinaryIO:
    try:
        return tempfile.TemporaryFile(prefix="identity-", buffering=0)
    except OSError as error:
        raise InvalidInput(NO_ROOM.format(error.strerror)) from None
