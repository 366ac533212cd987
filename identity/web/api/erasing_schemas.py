"""What goes in and comes out as JSON about erasures."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel, StrictBool, StrictStr

from identity.erasing.naming import MOST
from identity.models import LARGEST_ID
from identity.web.api.ruling_schemas import PlanTold, Reference, Said
from identity.web.api.schemas import Answer, Problem

Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]


class _Ordered(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    plan: StrictStr | None = None
    """The fingerprint of a plan: answered 409 when something else would go by now."""
    reason: StrictStr | None = Field(None, examples=["Asked for it in a letter."])
    """Why, for whoever reads it later. It is kept, and so may not name what is erased."""


class IdentifiersErased(_Ordered):
    """Some identifiers are to be forgotten, and what only they were told together with."""

    identifiers: list[Reference] = Field(min_length=1, max_length=MOST)


class CustomerErased(_Ordered):
    """All of a customer is to be forgotten."""

    customer: Id
    """The id of one of its contacts."""


class ErasureRequest(RootModel[IdentifiersErased | CustomerErased]):
    """Who is to be forgotten."""


class LiftRequest(BaseModel):
    """Identifiers of somebody who comes back on their own wish."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    identifiers: list[Reference] = Field(min_length=1, max_length=MOST)
    together: StrictBool = False
    """Whether all that was erased with them is lifted, too."""
    reason: StrictStr | None = Field(None, examples=["They ordered again."])
    """Why, for whoever reads it later."""


class Lifted(Answer):
    """The erasures of which something was lifted."""

    lifted: list[int]


class Became(Answer):
    """The ids of customers before, and of those that they became."""

    before: list[int]
    after: list[int]


class ErasureTold(Said):
    """An erasure: who ordered it, how much of each went, and ids."""

    id: int
    counts: dict[str, int]
    changes: list[Became]
    clearedAt: datetime | None
    """When the space in which it stood was given back; null while that is yet to be done."""
    lifted: Said | None
    """Who let the person come back, or some of what was theirs; null while nobody did."""
    holds: int
    """How many of its identifiers are still not taken in."""
    tries: int
    """How often one of its identifiers was brought again, and not taken in."""
    lastTriedAt: datetime | None


class FileTold(Answer):
    """An uploaded file that waits to be imported, and mentions the person."""

    import_: int = Field(alias="import")
    name: str


class ErasurePlan(PlanTold):
    """What is on record about a person, and what becomes of customers without it."""

    emails: list[str]
    phoneNumbers: list[str]
    """The identifiers that go, a hundred of each kind at most."""
    counts: dict[str, int]
    """How much of each goes: identifiers, contacts, claims, references, lines of the history,
    rulings and findings that name the person, files and rejected rows."""
    sources: list[str]
    """Who told of the person."""
    files: list[FileTold]
    """They are thrown away whole."""


class Erased(Answer):
    """An erasure, and what it did."""

    erasure: ErasureTold
    plan: ErasurePlan


class OneErasure(Answer):
    """An erasure."""

    erasure: ErasureTold


class Erasures(Answer):
    """A page of erasures, the newest first."""

    erasures: list[ErasureTold]
    more: bool
    """Whether there are older ones: ask for those before the last one's id."""


class Conflicting(Problem):
    """What was asked goes against what stands."""

    # Of both kinds here: of a ruling, and of an erasure, which tells more.
    plan: PlanTold | ErasurePlan | None = None
    """The plan of now, when something else would happen than was planned."""
    ruling: int | None = None
    """The ruling that says the same, or is withdrawn already."""
