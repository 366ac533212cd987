"""The shapes of the feed, and of what became of a contact."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from identity.feed.changes import Causes
from identity.web.api.schemas import Answer
from identity.web.query import IN_DIGITS, Number

MOST = 1000
"""Changes, or contacts, in one answer."""
LONGEST_WAIT = 30
"""Seconds that a reader may wait for a change."""
Limit = Annotated[int, Field(ge=1, le=MOST), IN_DIGITS]
Happened = Literal[
    "customer.created",
    "customer.grown",
    "customer.merged",
    "customer.taken_apart",
    "customer.primary_changed",
    "customer.erased",
]


class ChangesQuery(BaseModel):
    """Which changes."""

    after: Number | None = None
    """The number to go on after; 0 by default."""
    limit: Limit | None = None
    """How many at most; 1000 by default."""
    wait: Annotated[int, Field(ge=0, le=LONGEST_WAIT), IN_DIGITS] | None = None
    """Seconds to wait when there is none; 0 by default."""


class StartQuery(BaseModel):
    """Which contacts."""

    after: Number | None = None
    """The contact to go on after; 0 by default."""
    limit: Limit | None = None
    """How many at most; 1000 by default."""


class MovedTold(Answer):
    """A contact that has another customer now."""

    # Python has another use for the word.
    model_config = ConfigDict(serialize_by_alias=True)

    contact: int
    from_: int | None = Field(alias="from")
    """The customer that it was of; null for one that is new, or stands again."""
    to: int | None
    """The customer that it is of; null when it ceased."""


class Cause(Answer):
    """What made customers change."""

    kind: Causes
    source: str | None = None
    """Of a call: the key, or whoever told by form."""
    import_: int | None = Field(None, alias="import")
    """Of an import: its id."""
    ruling: int | None = None
    """Of a ruling, or its withdrawal: its id."""
    erasure: int | None = None
    """Of an erasure: its id."""
    by: str | None = None
    """Of the last two: who decided so."""


class ChangeTold(Answer):
    """What became of customers at one moment. Ids only, no email and no phone number."""

    number: int
    """Its place in the feed. Numbers have no gaps."""
    kind: Happened
    at: datetime
    customer: int
    """Whom it is about, by the id of now; of one that ceased, the id it had."""
    before: list[int]
    """The customers before, and after: the ids of their primaries."""
    after: list[int]
    moved: list[MovedTold]
    """All contacts that have another customer now."""
    cause: Cause


class Changes(Answer):
    """Changes in their order."""

    changes: list[ChangeTold]
    next: int
    """What to ask for as `after` next."""
    more: bool
    """Whether there are more already."""


class Standing(Answer):
    """A contact and its customer."""

    contact: int
    customer: int


class Start(Answer):
    """Contacts as they are now, by their ids."""

    contacts: list[Standing]
    next: int | None
    """What to ask for as `after` next; null when these were the last."""
    number: int
    """Of the first page: the changes after it are those to follow then."""


class BecameTold(Answer):
    """A step of a contact from one customer to another, or of the customer that it stood for."""

    kind: Happened
    at: datetime
    before: list[int]
    after: list[int]
    from_: int | None = Field(alias="from")
    """The customer that this contact was of; null when it came to be."""
    to: int | None
    """The customer that it was of afterwards; null when it ceased."""
    cause: Cause


class ContactHistory(Answer):
    """What became of a contact."""

    contact: int
    now: list[int]
    """Its customer; of a contact that ceased, those with what it said, perhaps none."""
    ceased: bool
    history: list[BecameTold]
    """The oldest first."""
    more: bool
    """Whether there was more, longer ago, in the history that is kept."""
