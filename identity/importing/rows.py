"""A row of a file, as the calls to identify that it stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from babel import Locale

from identity.deciding import Call
from identity.identifiers import parse_email, parse_phone_number, plain_text
from identity.importing.columns import Columns

REMEMBERED = 2**16
"""Values of a column whose normal form is kept: memory must not grow with the file."""
OTHER_NAMES = {"uk": "GB", "great britain": "GB", "usa": "US", "u.s.a.": "US", "u.s.": "US",
               "united states of america": "US", "the netherlands": "NL", "turkey": "TR",
               "czech republic": "CZ", "russian federation": "RU", "viet nam": "VN",
               "korea, republic of": "KR", "republic of korea": "KR"}  # fmt: skip

Found = dict[str, tuple[str, str]]
"""Each value of a row, with the name of its column and how it is spelt there."""

NOTHING = "Neither an email nor a phone number is given."
NO_EMAIL = "without an email nothing links it to the other phone number of its row. Give an email."
NO_PHONE = "without a phone number nothing links it to the other email of its row. Give one."
SHOWN = 80
"""Characters of a value that are shown."""


class Doubt(NamedTuple):
    """Something in a row that was not understood, and not used."""

    column: str
    """The column's name as the file spells it; "" for the row as a whole."""
    reason: str
    """A sentence, without the value."""
    value: str = ""
    """What is there, cut to a length. Shown to whoever brought the file, and never logged."""

    def __str__(self) -> str:
        return f"{self.column}: {self.reason}" if self.column else self.reason

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Doubt {self}>"


class Read(NamedTuple):
    """A row, as it was understood."""

    calls: list[Call]
    """None when nothing of it can be used."""
    doubts: list[Doubt]


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows, each by itself, so that several processes may share the work."""

    columns: Columns
    region: str | None
    """For phone numbers of rows without a country."""
    latest: datetime
    """No row can be later."""
    suspicious: Mapping[int, str] = field(default_factory=dict)
    """Lines that are not to be trusted, and why."""

    def read(self, line: int, cells: Sequence[str]) -> Read:
        """Return what one row says, and what of it cannot be understood and is not used.

        Each email is told with each phone number: they are all of one customer. Nothing links
        two emails without a phone number, or the other way round, so the first is told alone.
        """
        if line in self.suspicious:
            return Read([], [Doubt("", self.suspicious[line], shown(" ".join(cells)))])
        doubts: list[Doubt] = []
        emails = self._emails(cells, doubts)
        phones = self._phones(cells, doubts)
        created_at = self._created_at(cells, doubts)
        if not emails:
            _take_first(phones, NO_EMAIL, doubts)
        elif not phones:
            _take_first(emails, NO_PHONE, doubts)
        if not emails and not phones:
            return Read([], doubts or [Doubt("", NOTHING)])
        reference, name = self._named(cells)
        return Read(
            [
                Call(email, phone_number, created_at, line, reference, name)
                for email in emails or (None,)
                for phone_number in phones or (None,)
            ],
            doubts,
        )

    def _emails(self, cells: Sequence[str], doubts: list[Doubt]) -> Found:
        found: Found = {}
        for column in self.columns.emails:
            text = column.cell(cells)
            try:
                email = _email(text)
            except ValueError as problem:
                doubts.append(Doubt(column.name, str(problem), shown(text)))
                continue
            if email is not None:
                found.setdefault(email, (column.name, text))
        return found

    def _phones(self, cells: Sequence[str], doubts: list[Doubt]) -> Found:
        found: Found = {}
        texts = [(column, text) for column in self.columns.phones if (text := column.cell(cells))]
        region = self._country(cells) if texts else None
        for column, text in texts:
            try:
                number = _phone_number(text, region)
            except ValueError as problem:
                doubts.append(Doubt(column.name, str(problem), shown(text)))
                continue
            if number is not None:
                found.setdefault(number, (column.name, text))
        return found

    def _named(self, cells: Sequence[str]) -> tuple[str, str]:
        """Return what the source calls the row, and the name it has for it."""
        columns = self.columns
        if not (columns.reference or columns.name):
            return "", ""
        reference = columns.reference.cell(cells) if columns.reference else ""
        name = " ".join(filter(None, (column.cell(cells) for column in columns.name)))
        return _text(reference), _text(name)

    def _country(self, cells: Sequence[str]) -> str | None:
        for column in self.columns.country:
            if region := region_of(column.cell(cells)):
                return region
        return self.region

    def _created_at(self, cells: Sequence[str], doubts: list[Doubt]) -> datetime | None:
        for column in self.columns.created_at:
            if text := column.cell(cells):
                try:
                    moment = moment_of(text)
                    if moment > self.latest:
                        raise ValueError("the date is in the future.")
                    return moment
                except ValueError as problem:
                    doubts.append(Doubt(column.name, str(problem), shown(text)))
                    return None
        return None


def _take_first(found: Found, reason: str, doubts: list[Doubt]) -> None:
    """Leave out all but the first of several values that nothing links."""
    for value in list(found)[1:]:
        column, text = found.pop(value)
        doubts.append(Doubt(column, reason, shown(text)))


def shown(value: str) -> str:
    """Return as much of a value as is shown."""
    return value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"


def _text(given: str) -> str:
    # Whoever it is called, the row is about its email and phone number.
    try:
        return plain_text(given)
    except ValueError:
        return ""


_email = lru_cache(REMEMBERED)(parse_email)
_phone_number = lru_cache(REMEMBERED)(parse_phone_number)


@lru_cache(1024)
def region_of(country: str) -> str | None:
    """Return the two-letter region of a country's code or English name; None when unknown."""
    if country.upper() in phonenumbers.SUPPORTED_REGIONS:
        return country.upper()
    name = country.strip().casefold()
    return OTHER_NAMES.get(name) or _names().get(name)


@lru_cache(1)
def _names() -> dict[str, str]:
    regions = phonenumbers.SUPPORTED_REGIONS
    territories = Locale("en").territories
    return {name.casefold(): code for code, name in territories.items() if code in regions}


@lru_cache(REMEMBERED)
def moment_of(text: str) -> datetime:
    """Return a moment in UTC; a text without a zone is in UTC. Raise ValueError when unclear."""
    # Shopify writes a blank before the zone, and others the letters.
    iso = text.removesuffix(" UTC").replace(" +", "+").replace(" -", "-")
    try:
        moment = datetime.fromisoformat(iso)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        # 03/04/2024 is in March for some and in April for others: no guess.
        raise ValueError("the date must look like 2024-05-01 09:58:12 +0000.") from None
