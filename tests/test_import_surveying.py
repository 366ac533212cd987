"""What the rows of a file tell about its columns."""

import pytest

from identity.importing.columns import Chosen, Columns, choose
from identity.importing.dates import DAY_FIRST, MONTH_FIRST, UNCLEAR
from identity.importing.surveying import Survey
from tests.bringing import examined


def survey(content: str, chosen: Chosen | None = None) -> Columns:
    header, *rows = [line.split(",") for line in content.splitlines()]
    found = Survey(header, choose(header, chosen))
    for row in rows:
        found.add(row)
    return found.columns(chosen or Chosen())


@pytest.mark.parametrize(
    ("column", "cells", "looks_like", "how"),
    [
        ("Rechnungspost", ["doc@x.org", "", "marty@x.org", "N/A"], "emails",
         '--email "email" --email "Rechnungspost"'),
        ("Shipping Phone", ["(775) 555-0154", "3035550199"], "phone numbers",
         '--phone "Shipping Phone"'),
        ("Ruf", ["+17755550154", "+13035550199"], "phone numbers", '--phone "Ruf"'),
        ("Ruf", ["0151 23456789", "030/1234567"], "phone numbers", '--phone "Ruf"'),
        ("Seen", ["2024-05-01", "2024-05-02 09:58"], "dates", '--created-at "Seen"'),
        ("Seen", ["1/5/24", "1/6/24"], "dates", '--created-at "Seen"'),
        ("Visited at", ["1714557492", "1714557493"], "dates", '--created-at "Visited at"'),
        ("Ansprechname", ["Emmett Brown", "Marty McFly"], "names", '--name "Ansprechname"'),
        ("Filial-ID", ["A-17", "A-18"], "ids", '--reference "Filial-ID"'),
    ],
)  # fmt: skip
def test_a_column_that_looks_like_what_we_read_is_named(
    column: str, cells: list[str], looks_like: str, how: str
) -> None:
    rows = "\n".join(f"a{number}@x.org,{cell}" for number, cell in enumerate(cells))

    (found,) = survey(f"email,{column}\n{rows}").overlooked

    assert (found.name, found.looks_like, found.how) == (column, looks_like, how)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("Zip", ["80301", "80302-1234"]),
        ("Total", ["88.00", "1,204.50"]),
        ("Birthday", ["1968-06-09", "1914-11-05"]),
        ("Note", ["He said: doc@x.org", "call 555-0154 at 10"]),
        ("IP", ["203.0.113.7", "203.0.113.8"]),
        ("City", ["Hill Valley", "Boulder"]),
        ("Order number", ["1001", "1002"]),
        ("Store ID", ["7", "7"]),
        ("Latitude", ["48.137154", "-117.123456"]),
        ("Empty", ["", "N/A"]),
    ],
)
def test_what_looks_like_nothing_of_that_is_not_named(column: str, cells: list[str]) -> None:
    rows = "\n".join(f"a{number}@x.org,{cell}" for number, cell in enumerate(cells))

    assert survey(f"email,{column}\n{rows}").overlooked == ()


def test_one_date_is_enough_and_every_email_counts() -> None:
    found = survey("email,created_at,seen,more\na@x.org,2024-05-01,2024-05-02,b@x.org")

    assert [each.name for each in found.overlooked] == ["more"]


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["01/05/2024", "31/05/2024", "02/05/2024"], DAY_FIRST),
        (["01/05/2024", "05/31/2024"], MONTH_FIRST),
        (["01/05/2024", "02/05/2024"], UNCLEAR),
        (["31/05/2024", "05/31/2024"], UNCLEAR),
        (["2024-05-01", "01.05.2024"], ""),
    ],
)
def test_a_column_tells_how_its_dates_are_written(cells: list[str], order: str) -> None:
    rows = "\n".join(f"a@x.org,{cell}" for cell in cells)

    (column,) = survey(f"email,created_at\n{rows}").created_at
    (chosen,) = survey(f"email,created_at\n{rows}", Chosen(dates=MONTH_FIRST)).created_at

    assert (column.dates, chosen.dates) == (order, MONTH_FIRST)


def test_each_column_of_dates_has_its_own_way() -> None:
    found = survey("email,created_at,order_date\na@x.org,31/05/2024,05/31/2024")

    assert [column.dates for column in found.created_at] == [DAY_FIRST, MONTH_FIRST]


def test_a_column_without_a_name_is_named_by_its_place() -> None:
    found = survey("email,\na@x.org,doc@x.org\n").overlooked

    assert found == (("column 2", "emails", '--email "email" --email "column 2"'),)


def test_a_column_without_a_name_of_its_own_is_named_by_its_place() -> None:
    rows = "".join(f"d{n}@x.org,{n},+4915112345{n:03},e{n}@x.org\n" for n in range(5))
    file = examined("email,,Wo,Wo\n" + rows)

    assert file.columns.overlooked == (
        ("Wo (column 3)", "phone numbers", '--phone "Wo (column 3)"'),
        ("Wo (column 4)", "emails", '--email "email" --email "Wo (column 4)"'),
    )
    chosen = Chosen(email=("Wo (column 4)",), phone=("Wo (column 3)",))
    columns = examined("email,,Wo,Wo\n" + rows, chosen).columns
    assert [each.index for each in (*columns.emails, *columns.phones)] == [3, 2]
