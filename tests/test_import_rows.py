"""A row is what its cells say: what is understood is used, and the rest is told."""

import pytest

from identity.importing import addresses, aligning, cells, dates, numbers, rows
from identity.importing.rows import Doubt, Read
from tests.bringing import on

Content = tuple[str | None, str | None]


def read(row: str, header: str = "Email,Phone,Created at", region: str | None = None) -> Read:
    """Return the first row of a file, as it is read."""
    ((_, found),) = on(f"{header}\n{row}\n".encode(errors="surrogateescape"), region).first(1)
    return found


def contents(found: Read) -> list[Content]:
    return [call.content for call in found.calls]


DOC = ("doc@x.org", None)


@pytest.mark.parametrize(
    ("row", "content", "doubt"),
    [
        ("doc@x.org,FLOWERS,", [DOC], Doubt("Phone", numbers.NO_NUMBER, "FLOWERS")),
        ("doc@x.org,3.16E+11,", [DOC], Doubt("Phone", numbers.DESTROYED, "3.16E+11")),
        ("doc@x.org,,2999-01-01", [DOC], Doubt("Created at", dates.FUTURE, "2999-01-01")),
        ("doc@x.org,,1612-01-01", [DOC], Doubt("Created at", dates.EARLY, "1612-01-01")),
        ("doc@x.org,,03/04/2024", [DOC], Doubt("Created at", dates.WHICH, "03/04/2024")),
        ("doc@x.org,,soon", [DOC], Doubt("Created at", dates.NO_DATE, "soon")),
        ("nobody,1955,", [(None, "1955")], Doubt("Email", addresses.NO_EMAIL, "nobody")),
        ("nobody,,", [], Doubt("Email", addresses.NO_EMAIL, "nobody")),
        ("doc\x01@x.org,,", [], Doubt("Email", cells.BROKEN, "doc\ufffd@x.org")),
        (",,2024-01-01", [], Doubt("", rows.NOTHING)),
        ("N/A,-,2024-01-01", [], Doubt("", rows.NOTHING)),
    ],
)
def test_a_bad_cell_leaves_the_rest_of_its_row(
    row: str, content: list[Content], doubt: Doubt
) -> None:
    found = read(row)

    assert contents(found) == content
    assert found.doubts == [doubt]


def test_what_is_absent_is_no_doubt() -> None:
    found = read("doc@x.org,N/A,0000-00-00 00:00:00")

    assert (contents(found), found.doubts) == ([DOC], [])


def test_every_bad_cell_is_named() -> None:
    found = read("nobody,FLOWERS,soon")

    assert [doubt.column for doubt in found.doubts] == ["Email", "Phone", "Created at"]


def test_two_values_that_nothing_links_are_not_joined() -> None:
    phones = read("1955,1985", "phone,mobile")
    emails = read("doc@x.org,emmett@x.org", "email,mail")

    assert contents(phones) == [(None, "1955")]
    assert phones.doubts == [Doubt("mobile", rows.NO_EMAIL, "1985")]
    assert contents(emails) == [DOC]
    assert emails.doubts == [Doubt("mail", rows.NO_PHONE, "emmett@x.org")]


def test_all_values_of_a_row_are_one_customers() -> None:
    found = read("doc@x.org;brown@x.org,emmett@x.org,1955|1985", "email,mail,phone")

    assert contents(found) == [
        (email, phone)
        for email in ("doc@x.org", "brown@x.org", "emmett@x.org")
        for phone in ("1955", "1985")
    ]
    assert found.doubts == []


def test_a_list_of_people_is_not_one_customer() -> None:
    many = ";".join(f"guest{number}@x.org" for number in range(rows.MOST + 1))

    found = read(f"{many},1955", "email,phone")

    assert len(found.calls) == rows.MOST
    assert [doubt.reason for doubt in found.doubts] == [rows.TOO_MANY]


def test_a_country_that_nobody_knows_is_said_where_it_matters() -> None:
    header = "phone,country"

    national = read("044 668 18 00,Narnia", header, "CH")
    international = read("+41446681800,Narnia", header, "US")

    assert contents(national) == contents(international) == [(None, "+41446681800")]
    assert national.doubts == [Doubt("country", rows.NO_COUNTRY, "Narnia")]
    assert international.doubts == []


def test_a_reference_that_a_spreadsheet_destroyed_is_none() -> None:
    found = read("doc@x.org,7.21045E+12", "email,reference")

    assert (contents(found), found.calls[0].reference) == ([DOC], "")
    assert found.doubts == [Doubt("reference", numbers.DESTROYED, "7.21045E+12")]


def test_a_broken_name_is_left_out_and_said() -> None:
    found = read("doc@x.org,Ren\x01", "email,name")

    assert contents(found) == [DOC]
    assert found.doubts == [Doubt("name", cells.BROKEN, "Ren\ufffd")]


@pytest.mark.parametrize("part", ["NULL", "None", "nan"])
def test_a_name_of_nothing_is_no_name(part: str) -> None:
    ((named,), _) = read(f"doc@x.org,{part},", "email,first name,last name")
    ((surname,), _) = read(f"doc@x.org,Jennifer,{part}", "email,first name,last name")

    assert (named.name, surname.name) == ("", f"Jennifer {part}")


def test_a_row_with_more_cells_than_columns_is_used_where_that_is_safe() -> None:
    found = read("doc@x.org,555-4385,,too,many")

    assert contents(found) == [("doc@x.org", "5554385")]
    assert found.doubts == [Doubt("", aligning.LONGER, "too many")]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("name,email,phone", "Brown, Emmett,doc@x.org,1955"),
        ("email,address,zip,phone", "doc@x.org,Riverside Drive,Apt 2,80301,5551985"),
        ("email,address,created at", "doc@x.org,Riverside Drive,Apt 2,2024-05-01"),
    ],
)
def test_a_row_that_a_comma_has_moved_is_not_used(header: str, row: str) -> None:
    found = read(row, header)

    assert found.calls == []
    assert [doubt.reason for doubt in found.doubts] == [aligning.SHIFTED]


def test_separators_at_the_ends_of_all_rows_are_no_doubt() -> None:
    assert read("doc@x.org,1955,,,").doubts == []


def test_two_rows_that_a_quote_has_joined_are_not_used() -> None:
    # The mark of inches opens a value, and that of the next row closes it.
    header = "email,phone,name,note"
    found = read('doc@x.org,1955,"Doc,\nbiff@x.org,1985,Biff",', header)

    assert found.calls == []
    assert [doubt.reason for doubt in found.doubts] == [aligning.JOINED]


def test_a_note_of_several_lines_is_a_note() -> None:
    note = '"He said, Great Scott,\nand, at once, left, for 1985"'
    found = read(f"doc@x.org,1955,{note},x", "email,phone,note,more")

    assert (contents(found), found.doubts) == ([("doc@x.org", "1955")], [])


def test_what_is_shown_of_a_value_is_short_and_printable() -> None:
    (doubt,) = read(f"doc@x.org,{'FLOWERS ' * 50}\x1b\n,").doubts

    assert len(doubt.value) == cells.SHOWN
    assert doubt.value.isprintable()
    assert "FLOWERS" not in repr(doubt)
