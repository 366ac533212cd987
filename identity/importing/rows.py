"""A row of a file, as the calls to identify that it stands for, and what of it is in doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from identity.deciding import Call
from identity.identifiers import TEXT_LENGTH
from identity.importing import aligning
from identity.importing.addresses import emails_of
from identity.importing.cells import WRITTEN_FOR_NOTHING, Values, is_absent, shown
from identity.importing.columns import Column, Columns
from identity.importing.countries import region_of
from identity.importing.dates import FUTURE, date_of
from identity.importing.numbers import phone_numbers_of, reference_of

Found = dict[str, tuple[str, str]]
"""Each value of a row, with the name of its column and how it is spelt there."""

NOTHING = "neither an email nor a phone number is given."
NO_EMAIL = (
    "no email links this to the other phone number of its row, which is used. "
    "Put an email into the row."
)
NO_PHONE = (
    "no phone number links this to the other email of its row, which is used. "
    "Put a phone number into the row."
)
TOO_MANY = (
    "there are more values in this row than one customer can have, so only the first are used."
)
NO_COUNTRY = (
    "this country is not known, so the phone numbers of its row are read without it. "
    "Write its two letters, such as DE."
)
MOST = 20
"""Values of one kind in a row: what has more is a list of people."""


class Doubt(NamedTuple):
    """Something in a row that was not understood, and not used."""

    column: str
    """The column's name as the file spells it; "" for the row as a whole."""
    reason: str
    """A sentence, without the value."""
    value: str = ""
    """What is there, cut to a length. Shown to whoever brought the file, and never logged."""

    def __str__(self) -> str:
        sentence = self.reason
        return f"{self.column}: {sentence}" if self.column else sentence[:1].upper() + sentence[1:]

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Doubt {self}>"


class Read(NamedTuple):
    """A row, as it was understood."""

    calls: list[Call]
    """Empty when nothing of it can be used."""
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
    separator: str = ","

    def read(self, line: int, cells: Sequence[str]) -> Read:
        """Return what one row says, and what of it cannot be understood and is not used.

        Each email is told with each phone number, so whatever a ruling says of some of them, the
        others make one customer. Nothing links two emails without a phone number, or the other
        way round, so then the first is told alone.
        """
        width = self.columns.width
        if line in self.suspicious:
            return _unused(self.suspicious[line], cells)
        if aligning.is_joined(cells, self.columns, self.separator):
            return _unused(aligning.JOINED, cells)
        doubts: list[Doubt] = []
        emails = self._emails(cells, doubts)
        phones = self._phones(cells, doubts)
        created_at = self._created_at(cells, doubts)
        if len(cells) > width > 0 and aligning.has_more(cells, width):
            if doubts or aligning.is_shifted(cells, self.columns):
                return _unused(aligning.SHIFTED, cells)
            doubts.append(Doubt("", aligning.LONGER, shown(" ".join(cells[width:]))))
        if not emails:
            if not phones:
                return Read([], doubts or [Doubt("", NOTHING)])
            _take_first(phones, NO_EMAIL, doubts)
        elif not phones:
            _take_first(emails, NO_PHONE, doubts)
        reference, name = self._named(cells, doubts)
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
            if text := column.cell(cells):
                _gather(found, emails_of(text), column, text, doubts)
        return found

    def _phones(self, cells: Sequence[str], doubts: list[Doubt]) -> Found:
        found: Found = {}
        region: str | None = ""
        for column in self.columns.phones:
            if text := column.cell(cells):
                if region == "":
                    region = self._region(cells, text, doubts)
                _gather(found, phone_numbers_of(text, region), column, text, doubts)
        return found

    def _region(self, cells: Sequence[str], number: str, doubts: list[Doubt]) -> str | None:
        for column in self.columns.country:
            if text := column.cell(cells):
                if region := region_of(text):
                    return region
                # A number with its country code is whatever country it says.
                if not number.startswith("+") and not is_absent(text):
                    doubts.append(Doubt(column.name, NO_COUNTRY, shown(text)))
        return self.region

    def _created_at(self, cells: Sequence[str], doubts: list[Doubt]) -> datetime | None:
        for column in self.columns.created_at:
            if text := column.cell(cells):
                moment, reason = date_of(text, column.dates)
                if moment is not None and moment > self.latest:
                    moment, reason = None, FUTURE
                if reason:
                    doubts.append(Doubt(column.name, reason, shown(text)))
                if moment or reason:
                    return moment
        return None

    def _named(self, cells: Sequence[str], doubts: list[Doubt]) -> tuple[str, str]:
        """Return what the source calls the row, and the name it has for it."""
        columns = self.columns
        parts: list[str] = []
        reference = ""
        if columns.reference and (text := columns.reference.cell(cells)):
            reference = _text(columns.reference, text, doubts)
        for column in columns.name:
            if text := column.cell(cells):
                parts.append(_text(column, text, doubts))
        name = " ".join(filter(None, parts))
        return reference, "" if name in WRITTEN_FOR_NOTHING else name[:TEXT_LENGTH]


def _gather(found: Found, read: Values, column: Column, text: str, doubts: list[Doubt]) -> None:
    values, reason = read
    for value in values:
        if value not in found:
            if len(found) == MOST:
                reason = TOO_MANY
                break
            found[value] = column.name, text
    if reason:
        doubts.append(Doubt(column.name, reason, shown(text)))


def _take_first(found: Found, reason: str, doubts: list[Doubt]) -> None:
    """Leave out all but the first of several values that nothing links."""
    for value in list(found)[1:]:
        column, text = found.pop(value)
        # Two values of one cell are told of once.
        if (doubt := Doubt(column, reason, shown(text))) not in doubts:
            doubts.append(doubt)


def _text(column: Column, text: str, doubts: list[Doubt]) -> str:
    # Most names are, and all numbers: there is nothing to look for.
    if text.isascii() and text.isalnum() and len(text) <= TEXT_LENGTH:
        return text
    values, reason = reference_of(text)
    if reason:
        doubts.append(Doubt(column.name, reason, shown(text)))
    return values[0] if values else ""


def _unused(reason: str, cells: Sequence[str]) -> Read:
    return Read([], [Doubt("", reason, shown(" ".join(filter(None, cells))))])
