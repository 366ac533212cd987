"""What goes in and comes out as JSON about rulings, and why two identifiers belong together."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StrictInt, StrictStr

from identity.models import LARGEST_ID
from identity.web.api.schemas import EMAIL, PHONE_NUMBER, Answer, Held
from identity.web.query import Number

Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]


class _Exactly(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class EmailReference(_Exactly):
    """An email."""

    email: StrictStr = Field(examples=[EMAIL])


class PhoneReference(_Exactly):
    """A phone number."""

    phoneNumber: StrictStr | StrictInt = Field(examples=[PHONE_NUMBER])


Reference = EmailReference | PhoneReference


class _Ordered(_Exactly):
    plan: StrictStr | None = None
    """The fingerprint of a plan: answered 409 when something else would happen by now."""
    reason: StrictStr | None = Field(None, examples=["A family with one phone."])
    """Why, for whoever reads it later: at most 1,000 characters."""


class Apart(_Ordered):
    """Two identifiers are never the same customer's."""

    kind: Literal["apart"]
    one: Reference
    other: Reference


class LinksNobody(_Ordered):
    """A value counts as absent."""

    kind: Literal["links_nobody"]
    value: Reference


class ImportWithdrawn(_Ordered):
    """What an import was the first of its feed to tell counts as not told."""

    kind: Literal["withdrawn"]
    import_: Id = Field(alias="import")


class SourceWithdrawn(_Ordered):
    """What a source told from one moment on and before another counts as not told."""

    kind: Literal["withdrawn"]
    source: StrictStr = Field(examples=["checkout"])
    since: datetime
    until: datetime


class ClaimWithdrawn(_Ordered):
    """Exactly that email, phone number or pair counts as not told."""

    kind: Literal["withdrawn"]
    email: StrictStr | None = Field(None, examples=[EMAIL])
    phoneNumber: StrictStr | StrictInt | None = Field(None, examples=[PHONE_NUMBER])
    source: StrictStr | None = Field(None, examples=["checkout"])
    """Told by whom; by anybody when absent."""


class RulingRequest(
    RootModel[Apart | LinksNobody | ImportWithdrawn | SourceWithdrawn | ClaimWithdrawn]
):
    """A ruling."""


class WithdrawalRequest(_Ordered):
    """The withdrawal of a ruling."""


class Said(Answer):
    """Who took a ruling back, when and why."""

    by: str
    at: datetime
    reason: str | None


class RulingTold(Said):
    """A ruling: its kind, what it names, and whether it still stands."""

    id: int
    kind: Literal["apart", "links_nobody", "withdrawn"]
    one: dict[str, str] | None = None
    other: dict[str, str] | None = None
    value: dict[str, str] | None = None
    import_: int | None = Field(None, alias="import")
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    email: str | None = None
    phoneNumber: str | None = None
    forgotten: bool | None = None
    """True when what it named was erased."""
    withdrawn: Said | None
    """Null while it stands."""


class Counts(Answer):
    """How many of something there are, of all that changes."""

    before: int
    after: int


class PlannedCustomer(Answer):
    """A customer before or after a change. Ids of contacts that are yet to be made are null."""

    primaryContatctId: int | None
    primaryContactId: int | None
    emails: list[str]
    phoneNumbers: list[str]
    secondaryContactIds: list[int | None]


class ChangeTold(Answer):
    """The customers before and after that share an identifier or a contact."""

    before: list[PlannedCustomer]
    after: list[PlannedCustomer]
    more: int
    """Customers that are left out here; all are counted."""


class PlanTold(Answer):
    """What a ruling or its withdrawal would change, or has changed."""

    fingerprint: str
    """Send it as `plan`, and nothing else than this is done."""
    customers: Counts
    contacts: Counts
    changes: list[ChangeTold]
    more: int
    """Changes that are left out here; all are counted."""


class Ruled(Answer):
    """A ruling, and what it changed."""

    ruling: RulingTold
    plan: PlanTold


class Rulings(Answer):
    """A page of rulings, the newest first."""

    rulings: list[RulingTold]
    more: bool
    """Whether there are older ones: ask for those before the last one's id."""


class RulingsQuery(BaseModel):
    """Which page of rulings."""

    before: Number | None = None


class WhyQuery(BaseModel):
    """Two identifiers, or two contacts."""

    one: str | None = None
    other: str | None = None
    oneContact: Number | None = None
    otherContact: Number | None = None


class TellingTold(Answer):
    """Who told of a pair, and when."""

    source: str
    toldAt: datetime
    date: datetime
    """When it was told, or the date that a file gives it."""
    import_: int | None = Field(alias="import")
    """The import that brought it first."""


class StepTold(Answer):
    """A pair of the chain."""

    email: str
    phoneNumber: str
    tellings: list[TellingTold]
    bridge: bool
    """Whether the two would be apart without all tellings of it."""
    left: list[PlannedCustomer] | None
    """The customers that would be left then; null where it is no bridge."""


class WhyTold(Answer):
    """The pairs that lead from one identifier to another."""

    one: Reference
    other: Reference
    customers: list[int]
    """The primaries of those who have the two: one or two."""
    chain: list[StepTold]
    """Empty when they are different customers, or the same identifier."""
    held: list[Held]
    """What was told of both customers, and joins them not."""
