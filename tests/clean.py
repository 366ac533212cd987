"""What the repository holds, and nothing of what this machine has made of it since."""

import shutil
import subprocess
from pathlib import Path

from identity import ROOT


def copied(folder: Path) -> Path:
    """Copy what the repository holds into an empty folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    for name in listed.stdout.rstrip("\0").split("\0"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder
