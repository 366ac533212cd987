"""All that is on record about one person, for the person who asks: what, whence, and who saw it.

What is kept of a customer is in `recording`; here is beside it where that came from, what was
found and decided, and to whom it was told. Whoever plans to forget somebody may ask here too.
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from identity import recording
from identity.disclosing import audience, origins
from identity.disclosing.audience import Look, Reader, Sent
from identity.disclosing.meeting import Collected, Known
from identity.disclosing.origins import Brought, Forgetting
from identity.reviewing.findings import Noted

__all__ = [
    "Brought",
    "Forgetting",
    "Item",
    "Known",
    "Look",
    "Reader",
    "Sent",
    "everything",
]

Item = recording.Line | Known | Brought | Noted | Forgetting | Look | Reader | Sent


def everything(connection: Connection, primary_id: int) -> Iterator[Item]:
    """Yield all that is on record about a customer, and who was told.

    `connection` must show one moment. Contacts and claims come first, piece by piece; then what
    follows from them.
    """
    met = Collected()
    for line in recording.lines(connection, primary_id):
        met.add(line)
        yield line
    yield from met.known()
    yield from origins.imports(connection, met)
    yield from origins.findings(connection, met)
    yield from origins.erasures(connection, met)
    yield from audience.looks(connection, met)
    yield from audience.sent(connection, met)
    yield from audience.readers(connection, met)
