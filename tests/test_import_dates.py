"""Dates as shops write them, and as the spreadsheets do that saved their files again."""

import pytest

from identity.importing import dates
from identity.importing.dates import DAY_FIRST, MONTH_FIRST, UNCLEAR, date_of, order_of

MAY = "2024-05-01T00:00:00+00:00"
LATER = "2024-05-01T09:58:00+00:00"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-05-01 09:58:12 +0000", "2024-05-01T09:58:12+00:00"),
        ("2024-05-01 09:58:12 -0700", "2024-05-01T16:58:12+00:00"),
        ("2024-05-01T09:58:12Z", "2024-05-01T09:58:12+00:00"),
        ("2024-05-01T09:58:12.000Z", "2024-05-01T09:58:12+00:00"),
        ("2024-05-01T09:58:12.000+0000", "2024-05-01T09:58:12+00:00"),
        ("2024-05-01T11:58+02:00", LATER),
        ("2024-05-01 09:58:00 UTC", LATER),
        ("2024-05-01 09:58:00 GMT", LATER),
        ("2024-05-01 11:58:00 GMT+02:00", LATER),
        ("Wed May 01 2024 11:58:00 GMT+0200 (Central European Summer Time)", LATER),
        ("Wed May 01 11:58:00 +0200 2024", LATER),
        ("Wed May  1 09:58:00 2024", LATER),
        ("2024-05-01 9:58", LATER),
        ("2024-05-01 9:58 AM", LATER),
        ("2024-05-01", MAY),
        ("'2024-05-01", MAY),
        ('="2024-05-01"', MAY),
        ("2024/5/1 9:58", LATER),
        ("2024.05.01", MAY),
        ("01.05.2024 09:58", LATER),
        ("1.5.24", MAY),
        ("01.05.2024, 09:58 Uhr", LATER),
        ("1-May-24", MAY),
        ("01 May 2024 9:58", LATER),
        ("May 1, 2024 9:58 AM", LATER),
        ("May 1, 2024, 9:58\u202fAM", LATER),
        ("1st May 2024", MAY),
        ("Wed, 01 May 2024 09:58:00 +0000", LATER),
        ("Wed 5/15/2024 9:58 AM", "2024-05-15T09:58:00+00:00"),
        ("1. Mai 2024", MAY),
        ("1 mai 2024 09h58", LATER),
        ("1 de mayo de 2024", MAY),
        ("1 de maio de 2024", MAY),
        ("1 maggio 2024", MAY),
        ("1 mei 2024", MAY),
        ("15. M\u00e4rz 2024", "2024-03-15T00:00:00+00:00"),
        ("1 ao\u00fbt 2024", "2024-08-01T00:00:00+00:00"),
        ("31/12/2024", "2024-12-31T00:00:00+00:00"),
        ("12/31/2024 11:59 PM", "2024-12-31T23:59:00+00:00"),
        ("12/31/2024 12:00 AM", "2024-12-31T00:00:00+00:00"),
        ("5/5/2024", "2024-05-05T00:00:00+00:00"),
        # Counted: in days, in seconds, in thousandths.
        ("45413", MAY),
        ("45413.5", "2024-05-01T12:00:00+00:00"),
        ("45413,5", "2024-05-01T12:00:00+00:00"),
        ("45413.0", MAY),
        ("1714557480", LATER),
        ("1714557480.0", LATER),
        ("1714557480000", LATER),
        ("20240501", MAY),
        ("20240501095800", LATER),
    ],
)  # fmt: skip
def test_a_date_that_can_be_read_in_one_way_is_read(written: str, moment: str) -> None:
    read = date_of(written)

    assert read.reason == ""
    assert read.moment
    assert read.moment.isoformat() == moment


@pytest.mark.parametrize(
    ("written", "order", "moment"),
    [
        ("01/05/2024 9:58", DAY_FIRST, LATER),
        ("05/01/2024 9:58", MONTH_FIRST, LATER),
        ("5/1/24", MONTH_FIRST, MAY),
        ("5/1/24 9:58 AM", MONTH_FIRST, LATER),
        ("01-05-2024", DAY_FIRST, MAY),
        ("2024-05-01", DAY_FIRST, MAY),
        ("01.05.2024", MONTH_FIRST, MAY),
    ],
)
def test_the_column_tells_what_comes_first(written: str, order: str, moment: str) -> None:
    read = date_of(written, order)

    assert read.moment
    assert read.moment.isoformat() == moment


@pytest.mark.parametrize(
    ("written", "order", "reason"),
    [
        ("01/05/2024", "", dates.WHICH),
        ("01/05/2024 9:58", UNCLEAR, dates.WHICH),
        ("5/1/24", UNCLEAR, dates.WHICH),
        ("31/12/2024", MONTH_FIRST, dates.NO_DATE),
        ("12/31/2024", DAY_FIRST, dates.NO_DATE),
        ("32/12/2024", "", dates.NO_DATE),
        ("2024-02-30", "", dates.NO_DATE),
        ("2024-05-01 25:00", "", dates.NO_DATE),
        ("2024-05-01 09:58:12 CEST", "", dates.NO_DATE),
        ("2024-05-01 09:58:12 (CEST)", "", dates.NO_DATE),
        ("yesterday", "", dates.NO_DATE),
        ("May 2024", "", dates.NO_DATE),
        ("Flux 1, 2024", "", dates.NO_DATE),
        ("Flux 15/5/2024", "", dates.NO_DATE),
        ("2024", "", dates.NO_DATE),
        ("0001-01-01 00:00:00 +1400", "", dates.NO_DATE),
        ("1612", "", dates.NO_DATE),
        ("1.71E+12", "", dates.DESTROYED),
        ("1955-11-05", "", dates.EARLY),
        ("1900-01-00", "", dates.NO_DATE),
        ("1899-12-30", "", dates.EARLY),
        ("11/05/55", MONTH_FIRST, None),
        ("1970-01-01", "", dates.ZERO),
        ("1970-01-01 00:00:00 UTC", "", dates.ZERO),
    ],
)
def test_what_is_no_date_or_two_is_none(written: str, order: str, reason: str | None) -> None:
    read = date_of(written, order)

    if reason is None:
        # Whoever reads the row knows what is in the future.
        assert read.moment
        assert read.moment.year == 2055
    else:
        assert read == (None, reason)


@pytest.mark.parametrize(
    "written",
    ["", "N/A", "NULL", "NaT", "0", "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "0/0/00"],
)  # fmt: skip
def test_what_databases_write_for_no_date_is_nothing(written: str) -> None:
    assert date_of(written) == (None, "")


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("31/12/2024", DAY_FIRST),
        ("12/31/24 9:58", MONTH_FIRST),
        ("01/05/2024", UNCLEAR),
        ("2024-05-01", None),
        ("01.05.2024", None),
        ("1714557480", None),
    ],
)
def test_what_a_date_shows_of_its_column(written: str, order: str | None) -> None:
    assert order_of(written) == order
