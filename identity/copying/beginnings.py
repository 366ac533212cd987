"""How a copy begins, by which it is told from a file of customers."""

from pathlib import Path

BEGINNING = b'{"identity":'
MARK = b"\xef\xbb\xbf"
"""What an editor may have put before it."""


def is_copy(file: Path) -> bool:
    """Tell whether a file is a copy of all evidence, by its first bytes."""
    if not file.is_file():
        # A pipe gives its first bytes only once.
        return False
    try:
        with file.open("rb") as opened:
            head = opened.read(1024)
    except OSError:
        # Whoever goes on to read it says so.
        return False
    return head.removeprefix(MARK).lstrip().startswith(BEGINNING)
