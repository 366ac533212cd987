"""Files that are packed: with gzip, or as the only one in a ZIP archive."""

import gzip
import io
import zipfile
import zlib
from functools import partial
from typing import BinaryIO, NamedTuple

from identity.counting import counted
from identity.errors import InvalidInput
from identity.importing.opening.kinds import EMPTY_ZIP, GZIP, ZIP
from identity.importing.opening.room import Room
from identity.importing.opening.spool import CHUNK, Opened, Spool
from identity.importing.opening.wording import shown

TIMES = 100
"""How many times its size a file may become. Tables become 10 times theirs; bombs, 1,000 times."""
ALWAYS = 64 * 2**20
"""What any file may become, in bytes."""
LAYERS = 3
SHOWN = 10
ENCRYPTED = 0x1
PROTECTED = "The archive is protected with a password. Unpack it, and import the file in it."
DAMAGED = "The archive or workbook is damaged and cannot be unpacked. Fetch or make it again."
DOCUMENT = {"[Content_Types].xml", "mimetype", "Index/Document.iwa"}
"""What is in documents that are ZIP archives only by the way."""


class Unpacked(NamedTuple):
    """What is inside of all that a file is packed in."""

    opened: Opened
    how: tuple[str, ...] = ()
    """The kinds of what it was packed in."""
    cut: bool = False
    """Whether it ends in the middle."""


def unpack(opened: Opened, room: Room) -> Unpacked:
    """Return what is inside, unpacked once; raise `InvalidInput` with what prevents that."""
    found = Unpacked(opened)
    for _ in range(LAYERS + 1):
        with found.opened() as file:
            head = file.read(4)
            if head.startswith(GZIP):
                inner = _gzip(file, room)
            elif head in (ZIP, EMPTY_ZIP):
                if DOCUMENT & set(names(file)):
                    return found
                inner = _only_one(file, room)
            else:
                return found
        found = Unpacked(inner.opened, (*found.how, *inner.how), cut=found.cut or inner.cut)
    raise InvalidInput(f"The file is packed more than {LAYERS} times. Unpack it before.")


def _gzip(file: BinaryIO, room: Room) -> Unpacked:
    limit, too_large = _limit(file, room)
    spool, cut = Spool(), False
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            # What comes before the end is missed is given, other than by `read`.
            spool.fill(iter(partial(packed.read1, CHUNK), b""), limit, too_large)
    except EOFError:
        # What came until then is worth a look: only its last row is not to be trusted.
        cut = True
    except (OSError, zlib.error):
        raise InvalidInput(DAMAGED) from None
    return Unpacked(spool.open, ("gzip",), cut=cut)


def names(file: BinaryIO) -> list[str]:
    """Return what is in a ZIP archive; raise `InvalidInput` when it is damaged."""
    try:
        return zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise InvalidInput(DAMAGED) from None


def _only_one(file: BinaryIO, room: Room) -> Unpacked:
    limit, too_large = _limit(file, room)
    archive = zipfile.ZipFile(file)
    members = [each for each in archive.infolist() if _counts(each)]
    if not members:
        raise InvalidInput("The archive holds no file.")
    if len(members) > 1:
        told = ", ".join(f"“{shown(each.filename)}”" for each in members[:SHOWN])
        more = f" and {len(members) - SHOWN:,} more" if len(members) > SHOWN else ""
        raise InvalidInput(
            f"The archive holds {counted(len(members), 'file')}: {told}{more}. Unpack it, and "
            "import the one with the customers."
        )
    (member,) = members
    if member.flag_bits & ENCRYPTED:
        raise InvalidInput(PROTECTED)
    spool = Spool()
    try:
        with archive.open(member) as packed:
            spool.fill(iter(partial(packed.read, CHUNK), b""), limit, too_large)
    except NotImplementedError:
        raise InvalidInput(
            "The archive is packed in a way that is not known here. Unpack it before."
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
        raise InvalidInput(DAMAGED) from None
    return Unpacked(spool.open, ("ZIP",))


def _counts(member: zipfile.ZipInfo) -> bool:
    """Tell whether somebody put this into the archive, rather than the program that made it."""
    name = member.filename.rpartition("/")[2]
    return not (
        member.is_dir()
        or member.filename.startswith("__MACOSX/")
        or name.startswith("._")
        or name in {".DS_Store", "Thumbs.db", "desktop.ini"}
    )


def _limit(file: BinaryIO, room: Room) -> tuple[int, str]:
    packed = file.seek(0, io.SEEK_END)
    file.seek(0)
    limit = min(max(packed * TIMES, ALWAYS), room.unpacked)
    times = f", {TIMES} times its size" if limit < room.unpacked else ""
    return limit, (
        f"Unpacked, the file would be more than {limit // 2**20:,} MB{times}. {room.advice}"
    )
