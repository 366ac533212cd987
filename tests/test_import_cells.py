"""What one cell says: nothing, a value, several, or something that a program has broken."""

import pytest

from identity.importing import addresses, cells, numbers, side_by_side
from identity.importing.addresses import emails_of
from identity.importing.cells import text_of
from identity.importing.numbers import phone_numbers_of


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "N/A", "n/a", "NA", "NULL", "null", "(null)", "None", "nan", "NaN", "NaT"),
        *(r"\N", "-", "--", "—", ".", "?", "n.a.", "unknown", "undefined", '=""', '""', "'", "'-"),
        "#N/A",
    ],
)  # fmt: skip
def test_what_people_and_programs_write_for_nothing_is_nothing(text: str) -> None:
    assert emails_of(text) == phone_numbers_of(text, None) == cells.NONE


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("doc@hillvalley.edu", ["doc@hillvalley.edu"]),
        (" Doc@HillValley.edu ", ["doc@hillvalley.edu"]),
        ('="doc@hillvalley.edu"', ["doc@hillvalley.edu"]),
        ('"doc@hillvalley.edu"', ["doc@hillvalley.edu"]),
        ("Emmett Brown <doc@hillvalley.edu>", ["doc@hillvalley.edu"]),
        ('"Brown, Emmett" <doc@hillvalley.edu>', ["doc@hillvalley.edu"]),
        ("Brown, Emmett <doc@hillvalley.edu>", ["doc@hillvalley.edu"]),
        ("doc@hillvalley.edu <doc@hillvalley.edu>", ["doc@hillvalley.edu"]),
        ("<doc@hillvalley.edu>", ["doc@hillvalley.edu"]),
        ("mailto:doc@hillvalley.edu", ["doc@hillvalley.edu"]),
        ("MAILTO:doc@hillvalley.edu?subject=Flux", ["doc@hillvalley.edu"]),
        ("a@x.org;b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org, b@x.org,", ["a@x.org", "b@x.org"]),
        ("a@x.org | b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org\nb@x.org\r\nA@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org / b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org/b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org ::: b@x.org", ["a@x.org", "b@x.org"]),
        ("Emmett <a@x.org>, Brown, Clara <b@x.org>; c@x.org", ["a@x.org", "b@x.org", "c@x.org"]),
        ("a@x.org <A@x.org>", ["a@x.org"]),
        ("a@x.org <b@x.org>", ["b@x.org", "a@x.org"]),
        ("Doc @ Home <a@x.org>", ["a@x.org"]),
        ("a@x.org; N/A", ["a@x.org"]),
        ('a@x.org;""', ["a@x.org"]),
        ("sales/north@x.org", ["sales/north@x.org"]),
    ],
)
def test_each_email_of_a_cell_is_read(text: str, emails: list[str]) -> None:
    assert emails_of(text) == (tuple(emails), "")


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("nobody", []),
        ("doc@hillvalley", ["doc@hillvalley"]),
        ("doc@", []),
        ("@hillvalley.edu", []),
        ("doc@hillvalley.edu; nobody", ["doc@hillvalley.edu"]),
        ("5554385", []),
        ("doc@hillvalley.edu (old)", []),
        ("doc@hillvalley,edu", []),
        ("doc@hillvalley;edu", []),
        ("{doc@hillvalley.edu,mcfly@hillvalley.edu}", []),
    ],
)
def test_of_what_is_no_email_the_rest_is_used(text: str, emails: list[str]) -> None:
    read = emails_of(text)

    assert list(read.values) == emails
    assert read.reason == ("" if text == "doc@hillvalley" else addresses.NO_EMAIL)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+17755550154", None, ["+17755550154"]),
        ("'+1 (775) 555-0154", None, ["+17755550154"]),
        ('="+17755550154"', None, ["+17755550154"]),
        ("=+17755550154", None, ["+17755550154"]),
        ("tel:+1-775-555-0154", None, ["+17755550154"]),
        ("Tel.: +1 775 555 0154", None, ["+17755550154"]),
        ("mobile: +1 775 555 0154", None, ["+17755550154"]),
        # What programs did to them.
        ("919876543210.0", None, ["919876543210"]),
        ("+919876543210.0", None, ["+919876543210"]),
        ("919876543210,00", None, ["919876543210"]),
        ("919,876,543,210", None, ["919876543210"]),
        ("7755550154.0", "US", ["+17755550154"]),
        # One number, for all its marks.
        ("+49 (0) 151/23456789", None, ["+4915123456789"]),
        ("0151/23456789", "DE", ["+4915123456789"]),
        ("0151 / 23456789", "DE", ["+4915123456789"]),
        ("089 / 1234567", None, ["0891234567"]),
        ("775.555.0154", "US", ["+17755550154"]),
        ("+1 775 555 0154, ext. 12", None, ["+17755550154;ext=12"]),
        ("+1 775 555 0154; ext 12", None, ["+17755550154;ext=12"]),
        ("+17755550154;ext=12", None, ["+17755550154;ext=12"]),
        ("+1 775 555 0154 x12", None, ["+17755550154;ext=12"]),
        ("5554385,", None, ["5554385"]),
        ("1955", None, ["1955"]),
        ("2024-13-01", None, ["20241301"]),
        ("01.23.45.67.89", "FR", ["+33123456789"]),
        ("0151 2345 6789", None, ["015123456789"]),
        ("0049151-2345678", None, ["00491512345678"]),
        ("447911 123456", None, ["447911123456"]),
        ("036601 123456", None, ["036601123456"]),
        ("98765 43210", "IN", ["+919876543210"]),
        # Several.
        ("+17755550154;+13035550199", None, ["+17755550154", "+13035550199"]),
        ("+17755550154, +13035550199", None, ["+17755550154", "+13035550199"]),
        ("(775) 555-0154,(303) 555-0199", "US", ["+17755550154", "+13035550199"]),
        ("7755550154,3035550199", None, ["7755550154", "3035550199"]),
        ("+17755550154 / +13035550199", None, ["+17755550154", "+13035550199"]),
        ("555-0154/555-0199", None, ["5550154", "5550199"]),
        ("030 1234567 / 0151 23456789", "DE", ["+49301234567", "+4915123456789"]),
        ("+17755550154|+13035550199", None, ["+17755550154", "+13035550199"]),
        ("+17755550154\n+13035550199", None, ["+17755550154", "+13035550199"]),
        ("+17755550154 ::: +13035550199", None, ["+17755550154", "+13035550199"]),
        ("+17755550154 +13035550199", None, ["+17755550154", "+13035550199"]),
        ("9876543210 9123456780", "IN", ["+919876543210", "+919123456780"]),
        ("(775) 555-0154 (303) 555-0199", "US", ["+17755550154", "+13035550199"]),
        ("1955;1985", None, ["1955", "1985"]),
        ("1955; N/A; 1955", None, ["1955"]),
        ("0", None, []),
    ],
)  # fmt: skip
def test_each_phone_number_of_a_cell_is_read(
    text: str, region: str | None, expected: list[str]
) -> None:
    assert phone_numbers_of(text, region) == (tuple(expected), "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9.19E+11", numbers.DESTROYED),
        ("9,19E+11", numbers.DESTROYED),
        ("4.91512E+12", numbers.DESTROYED),
        ("9e11", numbers.DESTROYED),
        ("FLOWERS", numbers.NO_NUMBER),
        ("1-800-FLOWERS", numbers.NO_NUMBER),
        ("030/1234567-89 ext. 12", numbers.NO_REGION),
        ("doc@hillvalley.edu", numbers.NO_NUMBER),
        ("+", numbers.NO_NUMBER),
        ("1234567890123456789012", numbers.TOO_LONG),
        ("17755550154 13035550199", numbers.TOO_LONG),
        ("089/123456/0151/2345678", numbers.TOO_LONG),
        ("555,0154", side_by_side.UNCLEAR),
        ("555-0154 555-0199", side_by_side.UNCLEAR),
        ("5550154  5550199", side_by_side.UNCLEAR),
        ("5550154 - 5550199", side_by_side.UNCLEAR),
        ("5550154-5550199", side_by_side.UNCLEAR),
        ("5550154&5550199", side_by_side.UNCLEAR),
        ("123456 717171", side_by_side.UNCLEAR),
        ("123456/717171", side_by_side.UNCLEAR),
        ("123456 (717171)", side_by_side.UNCLEAR),
        ("123456 - 717171", side_by_side.UNCLEAR),
        ("012345 067890", side_by_side.UNCLEAR),
        ("+298201234 717171", side_by_side.UNCLEAR),
        ("2024-05-01", numbers.NO_DATE),
        ("2024-05-01 09:58", numbers.NO_DATE),
        ("01.05.2024", numbers.NO_DATE),
        ("5/1/2024", numbers.NO_DATE),
        ("12:30:45", numbers.NO_DATE),
        ("12345678.5", numbers.NO_DATE),
        ("49.90", numbers.NO_DATE),
        ("\udcfc151234567", cells.BROKEN),
        ("+1775\x005550154", cells.BROKEN),
    ],
)
def test_what_is_no_phone_number_is_none(text: str, reason: str) -> None:
    assert phone_numbers_of(text, None) == ((), reason)


def test_what_can_be_understood_of_a_cell_is_used() -> None:
    assert phone_numbers_of("+17755550154; FLOWERS", None) == (("+17755550154",), numbers.NO_NUMBER)


@pytest.mark.parametrize("text", ["Null", "None", "Na", "Nan", "Nil", "Unknown", "NA", "null"])
def test_a_name_may_be_what_programs_write_for_nothing(text: str) -> None:
    assert text_of(text) == ((text,), "")


@pytest.mark.parametrize("text", ["", "N/A", r"\N", "(null)", "#N/A", "-", "--"])
def test_what_is_nobodys_name_is_none(text: str) -> None:
    assert text_of(text) == cells.NONE


def test_a_broken_or_endless_name_is_said() -> None:
    assert text_of("Ren\udce9") == ((), cells.BROKEN)
    assert text_of("x" * 201).reason


def test_a_cell_of_blanks_is_read_in_no_time() -> None:
    blanks = " " * 2_000_000

    assert phone_numbers_of(f"1{blanks}x", None).reason == numbers.NO_NUMBER
    assert emails_of(f"a{blanks}b").reason == addresses.NO_EMAIL
    assert emails_of("a@x.org  /  b@x.org\n & c@x.org").values == ("a@x.org", "b@x.org", "c@x.org")
