"""What the rows of a file tell about its columns: which were overlooked, and how dates are written.

A column is read because of its name. One with another name, full of emails, would be lost without
a word; so whatever looks like something that we read is named, and how it is read.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

from identity.identifiers import is_of_email, is_valid_phone_number
from identity.importing.addresses import emails_of
from identity.importing.cells import is_absent, plain
from identity.importing.columns import Chosen, Column, Columns, Overlooked, labels
from identity.importing.columns import plain as header_of
from identity.importing.dates import (
    DAY_FIRST,
    EARLY,
    MONTH_FIRST,
    UNCLEAR,
    WHICH,
    ZERO,
    date_of,
    order_of,
)

LOOKED_AT = 1000
"""Rows at the beginning of a file from which its columns are judged."""
ENOUGH = 200
"""Values of a column that are looked at."""
MOST = 0.6
"""The part of them that has to look like something."""
EMAILS, PHONES = LINKING = "emails", "phone numbers"
_PHONE = re.compile(r"phone|tel(?!lin)|mobil|handy|cell|whatsapp|gsm|fax|movil|rufnummer")
_NO_PHONE = re.compile(r"zip|post|plz|amount|total|price|sku|ip$|latitude|longitude|^id$|barcode")
_DATE = re.compile(r"date|datum|fecha|data|time|visit|created|erstellt|seit|since|(?<!l)at$|on$")
_BIRTH = re.compile(r"birth|geburt|naissance|nacimiento|nascita|geboorte|nascimento|dob$|anniver")
_NAME = re.compile(r"name|nombre|nom$|nome$|kunde$|prenom|naam$|contact$|customer$|client$")
_ID = re.compile(r"id$|nr$|number$|nummer$|numero$|code$|(?:customer|client|kunden?|user|no)no$")
_NO_ID = re.compile(r"zip|post|plz|country|province|region|state|currency|order|phone|tel")
_NATIONAL = re.compile(r"\(\d{2,5}\)[\d\s./-]{5,}|0[1-9][\d\s./()-]{7,}|\d{3}[-. ]\d{3}[-. ]\d{4}")
_ONLY_LETTERS = re.compile(r"[^\W\d_][^\d@_]{0,60}")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_MARKED = "/-"


class Survey:
    """Looks at the rows of a file as they are counted."""

    def __init__(self, header: Sequence[str], columns: Columns) -> None:
        """Begin with what is read because of its name."""
        self._called = labels(header)
        self._columns = columns
        read = (*columns.emails, *columns.phones, *columns.created_at, *columns.country)
        others = (*columns.name, columns.reference, columns.order)
        places = {column.index for column in (*read, *others) if column}
        self._values: dict[int, list[str]] = {
            place: [] for place in range(len(header)) if place not in places
        }
        self._rows = 0
        self._orders: dict[Column, set[str]] = {column: set() for column in columns.created_at}

    def add(self, cells: Sequence[str]) -> None:
        """Look at a row."""
        if self._rows < LOOKED_AT:
            self._rows += 1
            for place, values in self._values.items():
                if place >= len(cells) or len(values) == ENOUGH:
                    continue
                # Of thousands of columns without a name most are empty.
                if cells[place] and not is_absent(text := plain(cells[place])):
                    values.append(text)
        for column, orders in self._orders.items():
            text = column.cell(cells)
            # 2024-05-01 can be read in one way only, and is what nearly all files have.
            marked = text and (text[1:2] in _MARKED or text[2:3] in _MARKED)
            if marked and (order := order_of(text)):
                orders.add(order)

    def columns(self, chosen: Chosen) -> Columns:
        """Return what is read, with what the rows told about it."""
        return replace(
            self._columns,
            created_at=tuple(
                replace(column, dates=chosen.dates or _order(orders))
                for column, orders in self._orders.items()
            ),
            overlooked=tuple(
                found
                for place, values in self._values.items()
                if values and (found := self._overlooked(self._called[place], values))
            ),
        )

    def _overlooked(self, name: str, values: Sequence[str]) -> Overlooked | None:
        columns, header = self._columns, header_of(name)
        reference = (columns.reference,) if columns.reference else ()
        # Each email and each phone number links. Of the others one is enough: every file has
        # more dates than that of the customer, and more ids.
        kinds: tuple[tuple[str, str, Sequence[Column], bool, Callable[..., bool]], ...] = (
            (EMAILS, "email", columns.emails, True, _is_email),
            (PHONES, "phone", columns.phones, True, _is_phone),
            ("dates", "created-at", columns.created_at, not columns.created_at, _is_date),
            ("names", "name", columns.name, not columns.name, _is_name),
            ("ids", "reference", reference, not reference, _is_id),
        )
        for looks_like, option, read, wanted, judges in kinds:
            alike = sum(judges(value, header) for value in values)
            if alike > MOST * len(values):
                if not wanted or (looks_like == "ids" and len(set(values)) < MOST * len(values)):
                    return None
                names = [column.name for column in read] + [name]
                how = " ".join(f'--{option} "{each}"' for each in names)
                return Overlooked(name, looks_like, how)
        return None


def overlooked(header: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[Overlooked, ...]:
    """Return what the columns of a file look like of which none is read."""
    nothing = Columns("plain", (), (), (), (), None, (), None, width=len(header))
    survey = Survey(header, nothing)
    for cells in islice(rows, LOOKED_AT):
        survey.add(cells)
    return survey.columns(Chosen()).overlooked


def _order(orders: set[str]) -> str:
    """Return how a column's dates are written, by all that they show."""
    if not orders:
        return ""
    told = orders - {UNCLEAR}
    if told in ({DAY_FIRST}, {MONTH_FIRST}):
        return told.pop()
    return UNCLEAR


def _is_email(value: str, _: str) -> bool:
    return is_of_email(value) and bool(emails_of(value).values)


def _is_phone(value: str, header: str) -> bool:
    digits = sum(map(str.isdigit, value))
    if not 6 <= digits <= 32 or any(map(str.isalpha, value)) or _NO_PHONE.search(header):
        return False
    if _PHONE.search(header):
        return True
    if _is_date(value, ""):
        return False
    return is_valid_phone_number(value) or _NATIONAL.fullmatch(value) is not None


def _is_date(value: str, header: str) -> bool:
    if _BIRTH.search(header) or (_NUMBER.fullmatch(value) and not _DATE.search(header)):
        return False
    moment, reason = date_of(value)
    return moment is not None or reason in (WHICH, EARLY, ZERO)


def _is_name(value: str, header: str) -> bool:
    return bool(_NAME.search(header)) and _ONLY_LETTERS.fullmatch(value) is not None


def _is_id(value: str, header: str) -> bool:
    ids = _ID.search(header) and not _NO_ID.search(header)
    return bool(ids) and any(map(str.isdigit, value)) and " " not in value
