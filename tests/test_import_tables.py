"""Tables as files hold them: below titles, joined, cut off, and with quotes left open."""

import pytest

from identity.errors import InvalidInput
from identity.importing.columns import Chosen
from identity.importing.endings import LONGER_EMAIL, SHORT, SHORTER
from identity.importing.inspecting import CUT, JOINED, OPEN
from identity.importing.opening.texts import LARGEST_CELL
from tests.bringing import cells_of, examined

TITLES = "Customers of Hill Valley\n\nReport generated,2024-05-01\n\n"


def test_titles_above_the_header_are_left_out_and_told() -> None:
    file = examined(f"{TITLES}name,email\nDoc,doc@hillvalley.edu\n")

    assert file.header == ("name", "email")
    assert list(file.rows()) == [(6, ["Doc", "doc@hillvalley.edu"])]
    assert file.notes == (
        "The header is line 5: 2 lines above it left out, “Customers of Hill Valley”, "
        "“Report generated 2024-05-01”.",
    )


def test_a_header_is_found_by_the_names_that_were_given() -> None:
    content = "Report,of,may\nwho,contact\nDoc,doc@hillvalley.edu\n"

    assert examined(content, Chosen(email=["contact"])).header == ("who", "contact")


def test_a_header_that_nobody_recognises_is_as_wide_as_the_rows() -> None:
    with pytest.raises(InvalidInput, match=r"Its columns are: who, where\."):
        examined("Customers\nwho,where\nDoc,Hill Valley\nMarty,Hill Valley\n")


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("Doc,doc@hillvalley.edu,555-438-5000", "column 1,email,phone"),
        ("doc@hillvalley.edu;marty@hillvalley.edu", "email;column 2"),
    ],
)
def test_a_file_without_a_header_says_how_to_add_one(first: str, header: str) -> None:
    with pytest.raises(InvalidInput, match=f"line 1 seems to be a customer .* such as “{header}”"):
        examined(f"{first}\n{first}\n")


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        # The header alone would be as wide with commas.
        ("name, first and last;who, exactly;contact\nDoc;x;y\nMarty;x;y\n", "semicolons"),
        ("sep=^\nname^contact\nDoc^x\n", "“^”"),
        ("sep=;\r\nname;contact\r\nDoc;x\r\n", "semicolons"),
    ],
)
def test_the_rows_tell_the_separator(content: str, separator: str) -> None:
    file = examined(content, Chosen(email=["contact"]))

    assert str(file).startswith(f"plain, UTF-8, separated by {separator}, ")


def test_quotes_are_closed_where_the_right_separator_closes_them() -> None:
    file = examined(
        'email;note\ndoc@hillvalley.edu;"Great\n; Scott"\nmarty@hillvalley.edu;"a,""b"\n'
    )

    assert [cells[1] for _, cells in file.rows()] == ["Great\n; Scott", 'a,"b']


def test_a_header_in_the_middle_is_no_customer() -> None:
    one = "email,name\ndoc@hillvalley.edu,Doc\n"
    file = examined(one + "\ufeff" + one + one)

    assert [line for line, _ in file.rows()] == [2, 4, 6]
    assert file.count == 3
    assert file.notes == ("The header comes again 2 times, as where files were joined: left out.",)


@pytest.mark.parametrize("last", ["Total: 2", "Total,2", ",Grand total,2", "Summe;"])
def test_a_row_that_sums_up_is_no_customer(last: str) -> None:
    file = examined(f"email,name,orders\ndoc@hillvalley.edu,Doc,1\n{last}\n")

    assert [line for line, _ in file.rows()] == [2]
    assert file.count == 1
    assert file.notes[0].startswith("The last row, line 3, sums up and was left out: “")


def test_a_customer_called_total_is_one() -> None:
    assert examined("name,email\nTotal,sum@hillvalley.edu\n").count == 1
    assert examined("email,name\nsum@hillvalley.edu,Total\n").count == 1


def test_two_columns_of_one_name_are_told() -> None:
    file = examined("Email,name,email\na@x.org,Doc,b@x.org\n")

    assert [column.index for column in file.columns.emails] == [0, 2]
    assert file.notes == ("Several columns are called “email”.",)


COMPLETE = "email,name,phone\n" + "".join(f"d{n}@x.org,Doc,+4915112345{n:03}\n" for n in range(5))


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("e@x.org,Do", CUT),
        ("e@x.org", CUT),
        ('e@x.org,"Do', OPEN),
        ('e@x.org,"Do\n', OPEN),
        ("e@x.org,Doc,+49151", SHORT),
        ("e@x.org,Doc,+491511234599", SHORT),
    ],
)
def test_a_last_row_that_is_cut_off_is_not_to_be_trusted(end: str, why: str) -> None:
    assert examined(COMPLETE + end).suspicious == {7: why}


@pytest.mark.parametrize(
    "end",
    ["e@x.org,Doc,+4915112345999", "e@x.org,Doc,", "e@x.org,Doc\n",
     "e@x.org,Doc,+49151\n"],
)  # fmt: skip
def test_a_last_row_that_is_whole_needs_no_line_end(end: str) -> None:
    assert not examined(COMPLETE + end).suspicious


@pytest.mark.parametrize("above", ["", "a@x.org,+4915112345678\n"])
def test_a_number_that_is_cut_off_is_told_where_there_are_few(above: str) -> None:
    file = examined(f"email,phone\n{above}b@x.org,+49151")

    assert list(file.suspicious.values()) == [SHORT]
    assert not examined(f"email,phone\n{above}b@x.org,+4915112345679").suspicious
    assert not examined("email,phone\na@x.org,+15550001\nb@x.org,+15550002").suspicious


MAILED = "name,email\n" + "".join(f"Doc,d{n}@hillvalley.edu\n" for n in range(3))


@pytest.mark.parametrize("end", ["e@hillvalley.ed", "e@hillv.e", "e@gmail.co", "e@x.co", "e@hill"])
def test_an_email_that_is_cut_off_is_not_to_be_trusted(end: str) -> None:
    assert examined(f"{MAILED}Doc,{end}").suspicious == {5: LONGER_EMAIL}
    assert examined(f"email\n{end}").suspicious == {2: LONGER_EMAIL}


@pytest.mark.parametrize("end", ["e@x.com", "e@hillvalley.edu", "e@x.de", "e@gmail.com", "", "N/A"])
def test_an_email_that_is_whole_needs_no_line_end(end: str) -> None:
    assert not examined(f"{MAILED}Doc,{end}").suspicious


@pytest.mark.parametrize("end", ["Doc,e@x.co\n", 'Doc,"e@x.co"'])
def test_an_email_that_has_an_end_is_whole(end: str) -> None:
    assert not examined(MAILED + end).suspicious
    assert not examined(f"{MAILED}Doc,f@tannen.co\nDoc,e@x.co").suspicious


def test_what_is_shorter_than_many_alike_is_not_to_be_trusted() -> None:
    above = "".join(f"d{n}@x.org,2024-05-{n:02}\n" for n in range(1, 25))

    assert examined(f"email,created_at\n{above}e@x.org,2024-05-2").suspicious == {26: SHORTER}
    assert not examined(f"email,created_at\n{above}e@x.org,2024-05-25").suspicious


def test_rows_as_short_as_the_others_are_not_cut_off() -> None:
    assert not examined("email,name,note\na@x.org,Doc\nb@x.org,Marty").suspicious


def test_rows_joined_by_a_stray_quote_are_not_to_be_trusted() -> None:
    file = examined('id,name,email\n1,"Doc,d@x.org\n2,"Marty",m@x.org\n3,"Lor\nraine",l@x.org\n')

    assert file.suspicious == {2: JOINED}
    assert file.count == 2
    assert examined('note,email\n"He said:\n""Great, Scott""\n",d@x.org\n').suspicious == {}


def test_a_quote_that_is_never_closed_is_found() -> None:
    begun = 'email,note\na@x.org,x\nb@x.org,"'

    with pytest.raises(InvalidInput, match=r"line 3 is never closed"):
        examined(f"{begun}y\nc@x.org,z\n")
    with pytest.raises(InvalidInput, match=r"line 3 has more than 4 million characters: a quote"):
        examined(begun + "d@x.org,z\n" * (LARGEST_CELL // 9))


def test_what_was_written_without_an_idea_of_quotes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Quotes are not closed in more than 10,000 rows"):
        examined("email,note\n" + 'a@x.org,"b\nc@x.org,"d"\n' * 10_001)


def test_a_cell_may_be_long() -> None:
    ((_, cells),) = cells_of(f'email,note\nd@x.org,"{"x" * 1_000_000}"\n')

    assert len(cells[1]) == 1_000_000


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Line 2 has more than 16 million characters"):
        examined(b"email\n" + b"x" * (17 * 2**20))


def test_a_file_may_have_many_columns() -> None:
    header = ",".join(f"c{number}" for number in range(10_000))

    assert examined(f"{header},email\n{',' * 10_000}d@x.org\n").count == 1


def test_a_table_is_no_wider_than_a_sheet_can_be() -> None:
    with pytest.raises(InvalidInput, match="Line 1 has 16,385 columns"):
        examined("email" + ",x" * 16_384 + "\na@x.org\n")
