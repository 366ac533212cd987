"""What people may do with the pages. Each role may do what those before it may."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do."""

    VIEWER = "viewer"
    """Look: search, open customers, read what happened and what looks wrong."""
    STEWARD = "steward"
    """Rule, add, import and export."""
    ADMINISTRATOR = "administrator"
    """Say who may do what, and read who did what."""

    def includes(self, other: "Role") -> bool:
        """Tell whether whoever has this role may do all that somebody with another may."""
        order = list(Role)
        return order.index(self) >= order.index(other)
