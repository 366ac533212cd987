"""The folders of running servers: what their workers count, and the socket of their office."""

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "identity-serving-"
"""With which their names begin; then comes the id of the server's first process."""
TRIES, PAUSE = 10, 0.1
"""How often it is tried to take a folder away, and seconds in between."""


def sweep(ours: Path) -> None:
    """Take away the folders of servers that were killed, and leave ours."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        # Another one may be faster, or the folder somebody else's.
        with suppress(OSError, ValueError):
            if folder != ours and folder.lstat().st_uid == os.getuid() and not _is_there(int(pid)):
                end(folder)


def end(folder: Path) -> None:
    """Take a folder away."""
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        # A worker that is dying may have put something there meanwhile.
        time.sleep(PAUSE)


def _is_there(pid: int) -> bool:
    if pid == os.getpid():
        # In a container every server has the same one.
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
