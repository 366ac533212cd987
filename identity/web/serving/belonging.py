"""A process that belongs to another: it has a name of its own, and ends when the other does."""

import ctypes

BE_CALLED, DIE_WITH_PARENT = 15, 1
"""PR_SET_NAME and PR_SET_PDEATHSIG of Linux. Elsewhere there is no such call."""


def belong(name: str, told: int) -> None:
    """Give this process its name, and let it be told so, by a signal, when its parent ends.

    A parent that was gone before is for whoever calls this to notice.
    """
    system = ctypes.CDLL(None)
    if hasattr(system, "prctl"):
        system.prctl(BE_CALLED, name.encode())
        system.prctl(DIE_WITH_PARENT, told)
