"""Files that hold customers' data or secrets: for the owner of the service only.

What is made from now on is kept so by the umask that `wsgi` sets. What is there already, from a
version or a restore that did not mind, is mended when the service starts.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

OTHERS = 0o077
"""What others may do with a file, as bits of its mode."""
BESIDE = "", "-wal", "-shm", "-journal"
"""What SQLite calls the files that belong to a database, after its name."""
KEY = ".erasure-key"
"""What the name of a file with the keys of erasures ends with, in place of the database's ending:
whoever puts another database in its place by name leaves the keys where they are."""


def guard(folder: Path, database_url: str) -> list[Path]:
    """Take from others what they may do with our folder and database; return what is not ours."""
    return [path for path in _kept(folder, database_url) if not _take_from_others(path)]


def _kept(folder: Path, database_url: str) -> Iterator[Path]:
    yield folder
    url = make_url(database_url)
    if url.database and url.drivername.startswith("sqlite"):
        # A relative path is below the folder, and of an absolute one the folder is somebody else's.
        for suffix in BESIDE:
            yield folder / f"{url.database}{suffix}"
        yield key_beside(folder, url.database)


def key_beside(folder: Path, database: str) -> Path:
    """Return where the keys of erasures are kept for a database of SQLite."""
    return (folder / database).with_suffix(KEY)


def _take_from_others(path: Path) -> bool:
    """Tell whether nobody but the owner may do anything with a file, by now."""
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if mode & OTHERS:
            try:
                path.chmod(mode & ~OTHERS)
            except OSError:
                return False
    return True
