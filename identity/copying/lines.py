"""What each line of a copy says: JSON, and nothing that this version does not know.

The first line says what the file is and how much there is, the last one that it is whole. Between
them come imports, rulings and claims, each kind in the order of its numbers.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from identity.deciding import NEW

VERSION = 1
OTHER_VERSION = f"this copy is of another version than {VERSION}, the only one known here."

# PostgreSQL takes no text with a NUL in it.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Given = Annotated[str, Field(pattern=r"^[^\x00]+$")]
# What is above, the function takes for contacts that are yet to be made.
Id = Annotated[int, Field(ge=1, lt=NEW)]
Place = Annotated[int, Field(gt=-NEW, lt=NEW)]
Count = Annotated[int, Field(ge=0, lt=NEW)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Counts(_Strict):
    """How many lines of each kind there are, and how many references the claims carry."""

    imports: Count
    rulings: Count
    claims: Count
    references: Count


class Last(_Strict):
    """The highest number that was ever given, of each that is counted."""

    contact: Count
    place: Count
    ruling: Count
    import_: Count = Field(alias="import")


class Header(_Strict):
    """The first line."""

    identity: Literal["copy of all evidence"]
    version: Literal[1]
    made_at: AwareDatetime
    counts: Counts
    last: Last


class ImportLine(_Strict):
    """An import, without what it read."""

    line: Literal["import"]
    id: Id
    file_name: Text
    given_by: Text
    given_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    feed: Text | None
    counts: dict[str, int]


class RulingLine(_Strict):
    """A ruling, withdrawn or not."""

    line: Literal["ruling"]
    id: Id
    kind: Text
    what: Given
    by: Text
    at: AwareDatetime
    reason: Text | None
    plan: dict[str, Any]
    up_to: Place
    done: Place | None
    withdrawn_by: Text | None
    withdrawn_at: AwareDatetime | None
    withdrawn_reason: Text | None


class Carried(_Strict):
    """What a source calls the record that it told a claim of."""

    reference: Text
    name: Text
    import_id: Id | None


class ClaimLine(_Strict):
    """A claim, with the references that it carries and the rulings that withdraw it."""

    line: Literal["claim"]
    id: Place
    email: Given | None
    phone_number: Given | None
    source: Given
    told_at: AwareDatetime
    dated_at: AwareDatetime
    import_id: Id | None
    contact_id: Id | None
    brought: Literal["email", "phone"] | None
    other_contact_id: Id | None
    held_by: Id | None
    stands: bool
    references: list[Carried]
    withdrawn_by: list[Id]


class EndLine(_Strict):
    """The last line."""

    line: Literal["end"]
    lines: Count
    """How many lines the file has, with this one."""
    sha256: str
    """Of all bytes before this line."""


Line = ImportLine | RulingLine | ClaimLine
_parse = TypeAdapter[Line | EndLine](
    Annotated[Line | EndLine, Field(discriminator="line")]
).validate_json
ORDER = "import", "ruling", "claim"


def first_line(content: bytes) -> Header:
    """Return what the first line says; raise ValueError with what is wrong with it."""
    try:
        return Header.model_validate_json(content)
    except ValidationError as error:
        is_other = any(each["loc"] == ("version",) for each in error.errors(include_input=False))
        raise ValueError(OTHER_VERSION if is_other else _problem(error)) from None


def parsed(content: bytes) -> Line | EndLine:
    """Return what any other line says; raise as above."""
    try:
        return _parse(content)
    except ValidationError as error:
        raise ValueError(_problem(error)) from None


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    match first["type"]:
        case "json_invalid":
            return "it is not JSON."
        case "extra_forbidden":
            # Not even the name of it: somebody may have put an email there.
            return "it holds something that this version does not know."
        case "union_tag_invalid" | "union_tag_not_found":
            return "it is neither an import nor a ruling, a claim or the end."
    names = [name for name in first["loc"] if isinstance(name, str) and name not in (*ORDER, "end")]
    which = f"its {names[0]}" if names else "it"
    return f"{which} is missing." if first["type"] == "missing" else f"{which} cannot be used."
