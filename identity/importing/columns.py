"""Which columns of a file hold what: recognised by their names, never by their position."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

from identity.errors import InvalidInput
from identity.formulas import unguarded
from identity.importing.cells import folded, shown
from identity.importing.formats import COUNTRY, CREATED_AT, EMAIL, FORMATS, NAME, PHONE, REFERENCE

NAMED = 40
"""Columns that are named where one is missing."""


class Unrecognised(InvalidInput):
    """No column is known to hold emails or phone numbers; `header` says which columns there are."""

    def __init__(self, header: Sequence[str], overlooked: Iterable["Overlooked"] = ()) -> None:
        hints = [f"“{each.name}” holds {each.looks_like}: {each.how}." for each in overlooked]
        super().__init__(
            f"No column with emails or phone numbers was recognised. {_has(header)} "
            + (" ".join(hints) or "Name them with --email and --phone.")
        )
        self.header = tuple(header)


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its place, counted from 0, and its name as the file spells it."""

    index: int
    name: str
    dates: str = ""
    """Of a column of dates: "day-first", "month-first", or "unclear" when they may be either."""

    def cell(self, cells: Sequence[str]) -> str:
        """Return what a row holds in this column, "" when it is too short to have it."""
        if self.index >= len(cells):
            return ""
        text = cells[self.index].strip()
        return unguarded(text) if text.startswith("'") else text


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns somebody named, by their names; what is empty is recognised.

    A name that is empty is that of no column, and so ("",) reads none.
    """

    email: Sequence[str] = ()
    phone: Sequence[str] = ()
    created_at: Sequence[str] = ()
    country: Sequence[str] = ()
    reference: Sequence[str] = ()
    name: Sequence[str] = ()
    region: str = ""
    """The two-letter country of phone numbers in rows without one."""
    dates: str = ""
    """Whether 03/04/2024 is "day-first" or "month-first"."""

    def as_json(self) -> dict[str, Any]:
        """Return what was chosen, as it is kept."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: value if isinstance(value, str) else list(value)
            for name, value in kept.items()
            if value
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was kept so; what else is in it is somebody else's."""
        names = {each.name for each in fields(cls)}
        given: dict[str, Any] = {
            name: value if isinstance(value, str) else tuple(value)
            for name, value in kept.items()
            if name in names
        }
        return cls(**given)


class Overlooked(NamedTuple):
    """A column that is not read, although what is in it looks as if it should be."""

    name: str
    looks_like: str
    """What most of its cells look like: emails, phone numbers, dates, names or ids."""
    how: str
    """The option that reads it."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read from each row."""

    format: str
    emails: tuple[Column, ...]
    """Each of them: two emails of one row are one customer's, as are two phone numbers."""
    phones: tuple[Column, ...]
    created_at: tuple[Column, ...]
    """The first that holds something; so is the country."""
    country: tuple[Column, ...]
    reference: Column | None
    """What the source calls the row."""
    name: tuple[Column, ...]
    """The parts of a name, in their order."""
    order: Column | None
    """In Shopify's orders the number of the order, of which only the first line is whole."""
    overlooked: tuple[Overlooked, ...] = ()
    """Known once the rows were looked at."""
    width: int = 0
    """How many cells a row of the file has; 0 when that is not known."""


def named(header: Iterable[str]) -> dict[str, list[int]]:
    """Return where each name stands, spelt without case, blanks around it and punctuation."""
    places: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        places.setdefault(plain(name), []).append(index)
    places.pop("", None)
    return places


def labels(header: Iterable[str]) -> list[str]:
    """Return what to call each column: its name, and its place where others are called so too."""
    names = [name.strip() for name in header]
    times = Counter(names)
    return [
        (name if times[name] == 1 else f"{name} (column {place})") if name else f"column {place}"
        for place, name in enumerate(names, start=1)
    ]


def plain(name: str) -> str:
    """Return a header as it is compared: E-Mail, e_mail and EMail are one."""
    return folded(name) or name.strip().casefold()


def recognised(header: Sequence[str]) -> int:
    """Return how many columns of a header we would know what to do with."""
    names = set(named(header))
    return len(names & {*EMAIL, *PHONE}) * 2 + len(names & {*CREATED_AT, *COUNTRY})


def choose(header: Sequence[str], chosen: Chosen | None = None) -> Columns:
    """Return what to read; raise `InvalidInput` when a named one is missing, or any usable."""
    chosen, places = chosen or Chosen(), named(header)
    spelt, called = [name.strip() for name in header], labels(header)

    def columns(asked: Sequence[str], known: tuple[str, ...]) -> tuple[Column, ...]:
        for name in asked:
            if name and plain(name) not in places and name not in called:
                raise InvalidInput(f"The file has no column “{name}”. {_has(header)}")
        found: list[int] = []
        for name in asked or known:
            # Whoever spells a name exactly means that column, and no other that is like it.
            exact = [place for place, each in enumerate(spelt) if asked and name and each == name]
            if name in called and asked:
                exact = exact or [called.index(name)]
            found += exact or places.get(plain(name), [])
        return tuple(Column(place, called[place]) for place in dict.fromkeys(found))

    format_ = _format(places)
    emails, phones = columns(chosen.email, EMAIL), columns(chosen.phone, PHONE)
    if not emails and not phones:
        raise Unrecognised(header)
    return Columns(
        format=format_,
        emails=emails,
        phones=phones,
        created_at=columns(chosen.created_at, CREATED_AT),
        country=columns(chosen.country, COUNTRY),
        reference=next(iter(columns(chosen.reference, REFERENCE.get(format_, ()))), None),
        name=columns(chosen.name, _name(format_, places)),
        order=columns((), ("name",))[0] if format_ == "Shopify orders" else None,
        width=len(header),
    )


def _name(format_: str, places: Mapping[str, object]) -> tuple[str, ...]:
    # The name of a Shopify order is its number.
    whole = (each for each in NAME if format_ != "Shopify orders" or each != ("name",))
    return next((each for each in whole if set(each) <= places.keys()), ())


def _format(places: Mapping[str, object]) -> str:
    for name, headers in FORMATS:
        if headers <= places.keys():
            return name
    return "plain"


def _has(header: Sequence[str]) -> str:
    # Where a header is none, these are somebody's cells.
    more = f" and {len(header) - NAMED:,} more" if len(header) > NAMED else ""
    return f"Its columns are: {', '.join(map(shown, header[:NAMED]))}{more}."
