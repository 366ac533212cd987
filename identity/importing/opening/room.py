"""How much a file may take while it is opened: it may become far larger than it came."""

from typing import NamedTuple

from identity.importing.opening.spool import LARGEST


class Room(NamedTuple):
    """What there is for one file."""

    unpacked: int
    """Bytes that it may become."""
    memory: int
    """Bytes of memory for the process that reads a workbook."""
    seconds: int
    """Of the processor, for that process."""
    advice: str
    """What somebody does whose file takes more."""


AMPLE = Room(LARGEST, 2 * 2**30, 600, "Unpack it before, if it is what you think.")
"""For whoever has the machine. A million rows of Shopify's twenty columns take most of it."""
LITTLE = Room(
    64 * 2**20,
    512 * 2**20,
    120,
    "Import it on the machine of the service, with: flask identity import FILE",
)
"""For whoever sends a file: small machines have no more to spare beside their calls."""
