"""What the repository holds, and nothing of what this machine has made of it since."""

import os
import shutil
import subprocess
import sys
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


def installed(folder: Path) -> Path:
    """Copy what the repository holds into an empty folder, as if it had been installed there."""
    (copied(folder) / ".venv").symlink_to(sys.prefix)
    return folder


def follow(commands: str, folder: Path, **given: str) -> str:
    """Do what a guide says, in a shell that stops at the first error; return what it says."""
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "hello, McFly", **given}
    done = subprocess.run(
        ["sh", "-euc", commands], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
