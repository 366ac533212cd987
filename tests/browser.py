"""The browser of this machine."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Return the path of the browser; raise when there is none."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise RuntimeError("No Chromium here: apt install chromium")
