"""The shape of all that is on record about one customer."""

from datetime import datetime
from typing import Any

from pydantic import Field

from identity.web.api.schemas import Answer

Listed = list[dict[str, Any]]


class Access(Answer):
    """All that is on record about one customer, and who was told, as far as it is known."""

    customer: int
    at: datetime
    """When it was read."""
    contacts: Listed
    identifiers: Listed
    """Each with the sources that told it, and since when."""
    told: Listed
    """Everything that was told, with references and names; what was withdrawn says so."""
    imports: Listed
    """The files that brought it."""
    rulings: Listed
    findings: Listed
    """What looked wrong about them."""
    erasures: Listed
    """Of others who were the same customer."""
    history: Listed
    """As long as it is kept, the newest first."""
    looks: Listed
    """Who looked at them, and who took away files in which they are."""
    webhooks: Listed
    keys: Listed
    """Those by which programs could ask for them."""
    notKnown: list[str] = Field(description="What of this nobody can say from what is on record.")
