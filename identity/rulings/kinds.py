"""What a ruling may name: two identifiers, one value, or something told."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from identity.errors import InvalidInput
from identity.evidence import Telling
from identity.identifiers import Identifiers, Value, referred
from identity.models import LARGEST_ID


class RulingKind(StrEnum):
    """What a ruling says of what it names."""

    APART = "apart"
    """Two identifiers are never the same customer's."""
    LINKS_NOBODY = "links_nobody"
    """A value counts as absent."""
    WITHDRAWN = "withdrawn"
    """Something told counts as not told."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Two identifiers that are kept apart."""

    one: Value
    other: Value

    kind = RulingKind.APART

    def named(self) -> dict[str, Any]:
        """Return what is named, as JSON has it; so do the others below."""
        return {"one": reference(self.one), "other": reference(self.other)}


@dataclass(frozen=True, slots=True)
class LinksNobody:
    """A value that is nobody's."""

    value: Value

    kind = RulingKind.LINKS_NOBODY

    def named(self) -> dict[str, Any]:
        """Return what is named."""
        return {"value": reference(self.value)}


@dataclass(frozen=True, slots=True)
class ImportWithdrawn:
    """What an import was the first of its feed to tell."""

    import_id: int

    kind = RulingKind.WITHDRAWN

    def named(self) -> dict[str, Any]:
        """Return what is named."""
        return {"import": self.import_id}

    def covers(self, claim: Telling) -> bool:
        """Tell whether a claim matches; so do the others below."""
        return claim.import_id == self.import_id


@dataclass(frozen=True, slots=True)
class SourceWithdrawn:
    """What a source told in a window of time: from its beginning, and not at its end."""

    source: str
    since: datetime
    until: datetime

    kind = RulingKind.WITHDRAWN

    def named(self) -> dict[str, Any]:
        """Return what is named."""
        window = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return {"source": self.source} | window

    def covers(self, claim: Telling) -> bool:
        """Tell whether a claim matches."""
        return claim.source == self.source and self.since <= claim.told_at < self.until


@dataclass(frozen=True, slots=True)
class ClaimWithdrawn:
    """Exactly one claim, told by one source or, without a source, by all."""

    email: str | None
    phone_number: str | None
    source: str | None

    kind = RulingKind.WITHDRAWN

    def named(self) -> dict[str, Any]:
        """Return what is named."""
        named = {"email": self.email, "phoneNumber": self.phone_number, "source": self.source}
        return {name: value for name, value in named.items() if value is not None}

    def covers(self, claim: Telling) -> bool:
        """Tell whether a claim matches."""
        return claim.content == (self.email, self.phone_number) and (
            self.source is None or claim.source == self.source
        )


@dataclass(frozen=True, slots=True)
class Unnamed:
    """What nobody knows any more: it named somebody who was erased. Stands never again."""

    kind: RulingKind

    def named(self) -> dict[str, Any]:
        """Return what is named."""
        return {"forgotten": True}


Withdrawn = ImportWithdrawn | SourceWithdrawn | ClaimWithdrawn
What = Apart | LinksNobody | Withdrawn | Unnamed


def reference(value: Value) -> dict[str, str]:
    """Return how the interface names an identifier."""
    return {value.kind.field: value.text}


def values_of(what: What) -> Iterator[Value]:
    """Yield the identifiers that a ruling names, also those of a claim."""
    match what:
        case Apart(one, other):
            yield from (one, other)
        case LinksNobody(value):
            yield value
        case ClaimWithdrawn(email, phone_number):
            yield from Identifiers(email, phone_number).values()


def as_json(what: What) -> dict[str, Any]:
    """Return the kind of a ruling and what it names."""
    return {"kind": what.kind.value} | what.named()


def spelt(what: What) -> str:
    """Return the same in the one spelling by which it is kept and compared."""
    return json.dumps(as_json(what), sort_keys=True)


def parse(given: Mapping[str, Any], region: str | None = None) -> What:
    """Return the ruling that somebody spelt as JSON; raise `InvalidInput` naming what is wrong."""
    kind, names = given.get("kind"), frozenset(given) - {"kind"}
    match kind:
        case "apart" if names == {"one", "other"}:
            one, other = (_value(given, name, region) for name in ("one", "other"))
            if one == other:
                raise _wrong("other", "the same identifier twice.")
            return Apart(one, other)
        case "links_nobody" if names == {"value"}:
            return LinksNobody(_value(given, "value", region))
        case "withdrawn" if names == {"import"}:
            return ImportWithdrawn(_import_id(given["import"]))
        case "withdrawn" if names == {"source", "since", "until"}:
            return _window(given)
        case "withdrawn" if (
            names and names <= {"email", "phoneNumber", "source"} and (names != {"source"})
        ):
            return _claim(given, region)
        case "apart" | "links_nobody" | "withdrawn":
            raise InvalidInput(f"{SHAPES[kind]} {_sent(names)}", {"kind": SHAPES[kind]})
    raise _wrong("kind", "apart, links_nobody or withdrawn.")


SHAPES = {
    "apart": "A ruling apart names one and other, each an email or a phoneNumber.",
    "links_nobody": "A ruling links_nobody names a value: an email or a phoneNumber.",
    "withdrawn": (
        "A ruling withdrawn names an import; or a source, since and until; or an email, a "
        "phoneNumber or both, with or without a source."
    ),
}


def _sent(names: frozenset[str]) -> str:
    # Names only, and only those a person may have meant: values are customers' data.
    known = {"one", "other", "value", "import", "source", "since", "until", "email", "phoneNumber"}
    sent = sorted(names & known)
    if names - known:
        sent.append("something else")
    return f"This one names {', '.join(sent) or 'nothing'}."


def _wrong(field: str, sentence: str) -> InvalidInput:
    told = f"{field} must be {sentence}" if field == "kind" else f"{field}: {sentence}"
    return InvalidInput(told, {field: told})


def _value(given: Mapping[str, Any], name: str, region: str | None) -> Value:
    sent = given[name]
    if not isinstance(sent, Mapping) or len(sent) != 1 or not set(sent) <= {"email", "phoneNumber"}:
        raise _wrong(name, 'must be {"email": …} or {"phoneNumber": …}.')
    try:
        (value,) = _identifiers(sent, region).values()
    except InvalidInput as problem:
        raise _wrong(name, str(problem)) from None
    return value


def _identifiers(given: Mapping[str, Any], region: str | None) -> Identifiers:
    return Identifiers.parse(given.get("email"), given.get("phoneNumber"), region=region)


def _import_id(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= LARGEST_ID:
        raise _wrong("import", "must be the number of an import.")
    return given


def _claim(given: Mapping[str, Any], region: str | None) -> ClaimWithdrawn:
    identifiers = _identifiers(given, region)
    source = given.get("source")
    return ClaimWithdrawn(
        identifiers.email,
        identifiers.phone_number,
        None if source is None else _source(source),
    )


def _window(given: Mapping[str, Any]) -> SourceWithdrawn:
    since, until = (_moment(given[name], name) for name in ("since", "until"))
    if since >= until:
        raise _wrong("until", "must be later than since.")
    return SourceWithdrawn(_source(given["source"]), since, until)


def _source(given: object) -> str:
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise _wrong("source", "must be the name of a source.")
    return given.strip()


def _moment(given: object, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)  # type: ignore[arg-type]
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(name, "must be a moment with its zone, like 2026-05-01T09:58:12Z.") from None


def from_record(spelling: str) -> What:
    """Return the ruling of a registered."""
    given = json.loads(spelling)
    match given:
        case {"forgotten": True, "kind": kind}:
            return Unnamed(RulingKind(kind))
        case {"kind": "apart", "one": one, "other": other}:
            return Apart(referred(one), referred(other))
        case {"kind": "links_nobody", "value": value}:
            return LinksNobody(referred(value))
        case {"import": import_id}:
            return ImportWithdrawn(import_id)
        case {"source": source, "since": since, "until": until}:
            return SourceWithdrawn(
                source, datetime.fromisoformat(since), datetime.fromisoformat(until)
            )
    return ClaimWithdrawn(given.get("email"), given.get("phoneNumber"), given.get("source"))
