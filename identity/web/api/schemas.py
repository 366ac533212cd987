"""What goes in and comes out as JSON.

Requests are validated by these, the documentation is made of them, and a test holds every answer
to them.
"""

from datetime import datetime
from typing import Annotated, Literal, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from identity.models import Precedence

EMAIL = "mcfly@hillvalley.edu"
PHONE_NUMBER = "+17755550154"
BATCH = 1000
"""Calls in one request."""


class _Given(BaseModel):
    """Missing, null, empty and blank all mean *absent*."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class LookupRequest(_Given):
    """An email, a phone number or both. Unknown fields are ignored."""

    # Validation leaves it to what reads identifiers, which knows that blank is absent too.
    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["email"]}, {"required": ["phoneNumber"]}]}
    )

    email: StrictStr | None = Field(None, examples=[EMAIL])
    # Not a plain int: that would take `true` for the phone number 1.
    phoneNumber: StrictStr | StrictInt | None = Field(None, examples=[PHONE_NUMBER])
    """Text, or a whole number."""


class IdentifyRequest(LookupRequest):
    """An email, a phone number or both, and what the caller calls them. Others are ignored."""

    reference: StrictStr | StrictInt | None = Field(None, examples=["7210448301122"])
    """What the caller's own records call this customer. It links nobody."""
    name: StrictStr | None = Field(None, examples=["Marty McFly"])
    """The name that the caller has for this customer. It links nobody."""


def _or_why_not(
    given: object, validate: ValidatorFunctionWrapHandler
) -> IdentifyRequest | ValidationError:
    # One call that is wrong is not to fail the others.
    try:
        return cast(IdentifyRequest, validate(given))
    except ValidationError as error:
        return error


class BatchRequest(_Given):
    """Calls to identify, in the order in which they are to be told."""

    calls: list[Annotated[IdentifyRequest, WrapValidator(_or_why_not)]] = Field(max_length=BATCH)


class LookupQuery(_Given):
    """What is looked up: one of the two is needed."""

    email: str | None = None
    phoneNumber: str | None = None


class Answer(BaseModel):
    """Whatever is answered: what is told here, and nothing else."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Customer(Answer):
    """A customer, whole."""

    primaryContatctId: int = Field(examples=[1])
    """The id of the primary contact, as the published contract spells it."""
    primaryContactId: int = Field(examples=[1])
    """The same, spelt right."""
    emails: list[str] = Field(examples=[[EMAIL]])
    """The primary's first, then oldest first, without repeats."""
    phoneNumbers: list[str] = Field(examples=[[PHONE_NUMBER]])
    """In the same order."""
    secondaryContactIds: list[int] = Field(examples=[[2]])


class Identified(Answer):
    """The customer of what was given."""

    contact: Customer
    keptApartFrom: int | None = None
    """The primary of the phone number's customer, whom a ruling keeps apart from the email's. Only
    there when it is so."""
    linksNobody: str | None = Field(None, examples=["phoneNumber"])
    """Which of the two was given and links nobody: the answer is as if it had not been given. Only
    there when it is so."""


class MaskedCustomer(Answer):
    """A customer for a key that resolves: to join, not to read."""

    primaryContatctId: int
    primaryContactId: int
    contactCount: int
    """How many contacts the customer has."""
    emails: list[Annotated[str, Field(examples=["m***@hillvalley.edu"])]]
    phoneNumbers: list[Annotated[str, Field(examples=["***154"])]]


class Resolved(Answer):
    """The answer to a key that has the scope resolve and not identify."""

    contact: MaskedCustomer
    keptApartFrom: int | None = None
    linksNobody: str | None = None


class CallIdentified(Identified):
    """What identify answers to a call of a batch."""

    status: Literal[200]


class CallResolved(Resolved):
    """The same for a key that resolves."""

    status: Literal[200]


class CallRefused(Answer):
    """Why a call of a batch is not answered with a customer."""

    status: Literal[400, 413, 503]
    """400: the call is wrong, and was not told. 413: it was told, and its answer finds no room;
    send it by itself. 503: it could not be decided; send it again."""
    error: str = Field(examples=["Either email or phoneNumber is required."])
    fields: dict[str, str] = Field(examples=[{}])


class BatchAnswered(Answer):
    """What each call of a batch is answered with, in their order."""

    answers: list[CallIdentified | CallResolved | CallRefused]


class LookedUp(Identified):
    """The customer found, and who else would become one with them."""

    wouldMergeWith: Customer | None
    """The customer that identify would merge into this one, if it were given the same."""


class ContactDetails(Answer):
    """One contact: what a customer told us on one day."""

    id: int
    email: str | None
    phoneNumber: str | None
    linkedId: int | None
    """The primary, or null for the primary itself."""
    linkPrecedence: Precedence
    createdAt: datetime


class Held(Answer):
    """A pair that was told, and joins nobody because a ruling keeps the two apart."""

    email: str
    phoneNumber: str
    sources: list[str]
    keptApartFrom: int | None
    """The primary of the other customer."""
    ruling: int


class Named(Answer):
    """What a source calls a customer."""

    source: str
    reference: str | None
    name: str | None


class CustomerWithContacts(Answer):
    """A customer and the contacts it is made of."""

    contact: Customer
    contacts: list[ContactDetails]
    held: list[Held]
    references: list[Named]


class GraphNode(Answer):
    """An email or a phone number of a customer."""

    name: str
    kind: str
    value: str
    primary: bool
    """Whether the primary contact brought it."""


class GraphEdge(Answer):
    """An email and a phone number that were given together."""

    email: str
    phone: str
    source: str
    sources: list[str]
    """All who told of it."""
    firstSeenAt: datetime


class Graph(Answer):
    """Why the contacts of a customer belong together."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]


class Status(Answer):
    """All is well."""

    status: str = Field(examples=["ok"])


class Problem(Answer):
    """What went wrong."""

    error: str = Field(examples=["The request cannot be read."])
    """One sentence."""
    fields: dict[str, str] = Field(examples=[{}])
    """The fields that are wrong, each with a sentence."""
    request_id: str = ""
    """To be quoted in a report of a fault of ours."""


class Ceased(Problem):
    """A contact that is no longer one."""

    now: list[int]
    """The primaries of the customers with what it said, perhaps none."""
