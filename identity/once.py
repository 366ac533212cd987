"""Files that several processes want at the same moment and one of them makes."""

import os
import secrets
from pathlib import Path


def kept_secret(folder: Path) -> str:
    """Return the secret in `folder`, making it on the first call; readable by its owner only."""
    return kept(folder / "secret_key")


def kept(path: Path) -> str:
    """Return the secret in a file, making it on the first call; readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Workers start at the same moment. Each writes a file of its own and only the first
        # to link it wins, so none reads a half-written secret or signs with another one.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(new_secret())
        put_in_place(draft, path)
    return path.read_text().strip()


def new_secret() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(32)


def kept_lines(path: Path) -> list[str]:
    """Return the secrets in a file, one on each line; none where there is no such file.

    Blank lines say nothing, nor do those that begin with #.
    """
    try:
        lines = map(str.strip, path.read_text().splitlines())
    except FileNotFoundError:
        return []
    return [line for line in lines if line and not line.startswith("#")]


def put_in_place(draft: Path, path: Path) -> None:
    """Make the draft that file, unless another process was first."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
