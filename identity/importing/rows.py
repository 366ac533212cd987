"""A row of a file, as the calls to identify that it stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import phonenumbers
from babel import Locale

from identity.deciding import Call
from identity.errors import InvalidInput
from identity.identifiers import parse_email, parse_phone_number, plain_text
from identity.importing.columns import Columns

REMEMBERED = 2**16
"""Values of a column whose normal form is kept: memory must not grow with the file."""
OTHER_NAMES = {"uk": "GB", "great britain": "GB", "usa": "US", "u.s.a.": "US", "u.s.": "US",
               "united states of america": "US", "the netherlands": "NL", "turkey": "TR",
               "czech republic": "CZ", "russian federation": "RU", "viet nam": "VN",
               "korea, republic of": "KR", "republic of korea": "KR"}  # fmt: skip


NOTHING = "Neither an email nor a phone number is given."
TWO_PHONES = "Two different phone numbers, and no email to link them by."


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows, each by itself, so that several processes may share the work."""

    columns: Columns
    region: str | None
    """For phone numbers of rows without a country."""
    latest: datetime
    """No row can be later."""

    def calls(self, line: int, cells: Sequence[str]) -> list[Call]:
        """Return the calls of one row; raise `InvalidInput` naming every column at fault.

        A row with two phone numbers is two calls.
        """
        columns = self.columns
        problems: dict[str, str] = {}
        texts = [column.cell(cells) for column in columns.phones]
        region = self._country(cells) if any(texts) else None
        email: str | None = None
        created_at: datetime | None = None
        phones: dict[str | None, None] = {}
        if columns.email:
            try:
                email = _email(columns.email.cell(cells))
            except ValueError as problem:
                problems[columns.email.name] = str(problem)
        for column, text in zip(columns.phones, texts, strict=True):
            try:
                phones[_phone_number(text, region)] = None
            except ValueError as problem:
                problems[column.name] = str(problem)
        try:
            created_at = self._created_at(cells)
        except ValueError as problem:
            problems[columns.created_at[0].name] = str(problem)
        phones.pop(None, None)
        if not problems and email is None and len(phones) != 1:
            raise InvalidInput(TWO_PHONES if phones else NOTHING)
        if problems:
            told = (f"{name}: {sentence}" for name, sentence in problems.items())
            raise InvalidInput(" ".join(told), problems)
        reference, name = self._named(cells)
        return [
            Call(email, phone_number, created_at, line, reference, name)
            for phone_number in phones or (None,)
        ]

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

    def _created_at(self, cells: Sequence[str]) -> datetime | None:
        texts = (column.cell(cells) for column in self.columns.created_at)
        text = next(filter(None, texts), None)
        moment = moment_of(text) if text else None
        if moment and moment > self.latest:
            raise ValueError("the date is in the future.")
        return moment


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
