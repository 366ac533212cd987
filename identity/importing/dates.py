"""When something was, as shops and the spreadsheets that saved their files again write it.

Strict: what can be read in two ways is not read, unless its column tells which one it is. The
names of months are those of the languages whose exports we know. A date without a zone is in UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from identity.importing.calendars import months, weekdays
from identity.importing.cells import folded, is_absent, plain

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
ORDERS = DAY_FIRST, MONTH_FIRST
"""What 03/04/2024 may be: in April, or in March."""
UNCLEAR = "unclear"
"""Of a column in which nothing tells the one from the other."""
REMEMBERED = 2**16
"""Dates whose reading is kept."""
EARLIEST = 1970

_NOW = " Until it is mended, the row is dated today."
NO_DATE = (
    "this is not a date that can be read. It should look like 2024-05-01, "
    f"or 2024-05-01 09:58 with the time.{_NOW}"
)
WHICH = (
    "this date can be read in two ways. Say whether the day comes first or the month. "
    "Until then, the row is dated today."
)
EARLY = f"this date lies before 1970, so it is not the day somebody became a customer.{_NOW}"
ZERO = f"this is what programs write when there is no date.{_NOW}"
FUTURE = f"this date is in the future.{_NOW}"
DESTROYED = f"a spreadsheet has destroyed this date. Export it again, as text.{_NOW}"


_TIME = (
    r"(?:[T,\s]+(?P<hour>\d{1,2})[:h](?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d+))?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?(?:\s*uhr)?"
    # Browsers write the name of the zone behind it once more.
    r"\s*(?:(?P<zone>z|utc|gmt|(?:utc|gmt)?[+-]\d\d:?(?:\d\d)?)(?:\s*\([^()]+\))?)?)?"
)
_WEEKDAY = r"(?:(?P<weekday>[^\W\d_]{2,})\.?,?\s+)?"
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    rf"{_WEEKDAY}(?P<one>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d\d){_TIME}",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|er|º)?[\s-]+(?:(?:de|of)\s+)?(?P<name>[^\W\d_]{{3,}})\.?,?"
    rf"[\s-]+(?:(?:de|del)\s+)?(?P<year>\d{{4}}|\d\d){_TIME}",
    re.IGNORECASE,
)
_NAME_FIRST = re.compile(
    rf"{_WEEKDAY}(?P<name>[^\W\d_]{{3,}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME}",
    re.IGNORECASE,
)
_YEAR_LAST = re.compile(
    rf"{_WEEKDAY}(?P<name>[^\W\d_]{{3,}})\s+(?P<day>\d{{1,2}}){_TIME}\s+(?P<year>\d{{4}})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d+)(?:[.,](\d+))?")
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
_EITHER = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](?:\d{4}|\d\d)\b")
_NO_DATE = re.compile(r"0{1,4}[-/.]0{1,2}[-/.]0{1,4}(?:[T\s]+0{1,2}:00(?::00(?:\.0+)?)?)?")
_SERIAL_BEGINS = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def order_of(text: str) -> str | None:
    """Return which order a date shows, `UNCLEAR` when it may be either, None when it has none."""
    found = _EITHER.match(text)
    if found is None:
        return None
    one, other = int(found[1]), int(found[2])
    if one > 12 >= other:
        return DAY_FIRST
    return MONTH_FIRST if other > 12 >= one else UNCLEAR


class Dated(NamedTuple):
    """What a cell says about when something was."""

    moment: datetime | None
    """In UTC."""
    reason: str = ""
    """Why it is not understood."""


@lru_cache(REMEMBERED)
def date_of(text: str, order: str = "") -> Dated:
    """Return what a cell says. `order` is that of its column: one of `ORDERS`, or none."""
    text = plain(text)
    if is_absent(text) or text == "0" or _NO_DATE.fullmatch(text):
        return Dated(None)
    try:
        return Dated(_checked(text, order))
    except ValueError as problem:
        return Dated(None, str(problem))


def _checked(text: str, order: str) -> datetime:
    try:
        moment = _moment(" ".join(text.split()), order)
    except (OverflowError, KeyError):
        # No month of that name, or a moment that no calendar has.
        raise ValueError(NO_DATE) from None
    if moment.year < EARLIEST:
        raise ValueError(EARLY)
    if moment == _EPOCH:
        raise ValueError(ZERO)
    return moment


def _moment(text: str, order: str) -> datetime:
    if number := _NUMBER.fullmatch(text):
        return _of_number(number[1], (number[2] or "").rstrip("0"))
    if _SCIENTIFIC.fullmatch(text):
        raise ValueError(DESTROYED)
    if found := _YEAR_FIRST.fullmatch(text):
        return _at(found, int(found["month"]), int(found["day"]))
    if found := _NUMBERS.fullmatch(text):
        return _at(found, *_ordered(found, order))
    for written in _NAMED, _NAME_FIRST, _YEAR_LAST:
        if found := written.fullmatch(text):
            return _at(found, months()[folded(found["name"])], int(found["day"]))
    raise ValueError(NO_DATE)


def _of_number(whole: str, fraction: str) -> datetime:
    """Return the moment that a program counts: in days, seconds or thousandths."""
    count = float(f"{whole}.{fraction or 0}")
    match len(whole):
        case 5:
            return _SERIAL_BEGINS + timedelta(seconds=round(count * 86_400))
        case 8 | 14 if not fraction:
            parts = (whole[i : i + 2] for i in range(4, len(whole), 2))
            return _valid(int(whole[:4]), *map(int, parts))
        case 9 | 10:
            return _EPOCH + timedelta(seconds=count)
        case 12 | 13:
            return _EPOCH + timedelta(milliseconds=count)
    raise ValueError(NO_DATE)


def _ordered(found: re.Match[str], order: str) -> tuple[int, int]:
    """Return the month and the day."""
    one, other = int(found["one"]), int(found["other"])
    if found["mark"] == "." or (one > 12 and order != MONTH_FIRST):
        return other, one
    if other > 12 and order != DAY_FIRST:
        return one, other
    if order not in ORDERS and one != other:
        raise ValueError(WHICH)
    return (one, other) if order == MONTH_FIRST else (other, one)


def _at(found: re.Match[str], month: int, day: int) -> datetime:
    if found.groupdict().get("weekday") and folded(found["weekday"]) not in weekdays():
        raise ValueError(NO_DATE)
    hour = int(found["hour"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(NO_DATE)
        hour = hour % 12 + 12 * (found["half"][0] in "pP")
    time = hour, int(found["minute"] or 0), int(found["second"] or 0)
    part = int((found["part"] or "0")[:6].ljust(6, "0"))
    moment = _valid(_year(found["year"]), month, day, *time, part)
    return moment - _offset(found["zone"] or "")


def _valid(*parts: int) -> datetime:
    try:
        year, month, day, hour, minute, second, part = (*parts, *(0,) * (7 - len(parts)))
        return datetime(year, month, day, hour, minute, second, part, tzinfo=UTC)
    except ValueError:
        raise ValueError(NO_DATE) from None


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    # Of two digits, as spreadsheets read them: 69 is the last one of this century.
    return 1900 + int(text) if int(text) >= 70 else 2000 + int(text)


def _offset(zone: str) -> timedelta:
    digits = zone.lstrip("UTCGMutcgmz").replace(":", "")
    if not digits.strip("Zz"):
        return timedelta()
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:] or 0))
    return -offset if digits[0] == "-" else offset
