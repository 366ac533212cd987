"""Files as they are encoded: each encoding, and bytes that are none of it."""

import pytest

from tests.bringing import cells_of, examined

ROWS = "Name,Email\nRené,doc@hillvalley.edu\nJürgen,marty@hillvalley.edu\n"
READ = [(2, ["René", "doc@hillvalley.edu"]), (3, ["Jürgen", "marty@hillvalley.edu"])]


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        *((f"utf-{bits}{end}", f"UTF-{bits}") for bits in (16, 32) for end in ("", "-le", "-be")),
        ("cp1252", "Windows-1252"),
    ],
)
def test_each_encoding_is_told_by_the_bytes(codec: str, name: str) -> None:
    content = ROWS.encode(codec)

    assert cells_of(content) == READ
    assert str(examined(content)) == f"plain, {name}, separated by commas, 2 rows"


@pytest.mark.parametrize(
    ("mark", "codec"), [(b"\xfe\xff", "utf-16-be"), (b"\0\0\xfe\xff", "utf-32-be")]
)
def test_marks_of_the_other_order_are_known(mark: bytes, codec: str) -> None:
    assert cells_of(mark + ROWS.encode(codec)) == READ


def test_utf_16_of_letters_that_have_no_zeros_is_told_by_the_rest() -> None:
    content = "名前,email\n山田太郎山田太郎,doc@hillvalley.edu\n".encode("utf-16-le")

    assert cells_of(content) == [(2, ["山田太郎山田太郎", "doc@hillvalley.edu"])]


def test_a_bad_byte_puts_only_its_own_cell_in_doubt() -> None:
    content = ROWS.encode() + b"Lorraine,lor\xffraine@hillvalley.edu\n"

    file = examined(content)

    assert list(file.rows())[:2] == READ
    assert list(file.rows())[2] == (4, ["Lorraine", "lor\udcffraine@hillvalley.edu"])
    assert file.notes == ("In 1 cell there are bytes that are no text: only these are in doubt.",)


def test_the_whole_file_decides_what_a_bad_byte_is() -> None:
    # Far behind what is looked at first.
    rows = "".join(f"Jürgen{n},j{n}@hillvalley.edu\n" for n in range(40_000))

    damaged = examined(f"Name,Email\n{rows}".encode() + b"Ren\xe9,doc@hillvalley.edu\n")
    other = examined(f"Name,Email\n{rows}".encode("cp1252"))

    assert "UTF-8" in str(damaged)
    assert damaged.notes
    assert "Windows-1252" in str(other)
    assert not other.notes
    assert next(other.rows())[1][0] == "Jürgen0"


def test_half_a_character_at_the_end_is_damage_of_the_last_cell() -> None:
    content = "Email,Name\ndoc@hillvalley.edu,Jürgen\nmarty@hillvalley.edu,Ren\n".encode()

    assert cells_of(content + "a,b,ü".encode()[:-1])[-1] == (4, ["a", "b", "\udcc3"])


def test_utf_16_that_lost_a_byte_is_read_until_there() -> None:
    assert cells_of(ROWS.encode("utf-16")[:-1])[:1] == READ[:1]


@pytest.mark.parametrize("codec", ["mac-roman", "cp850"])
def test_umlauts_of_others_are_doubted_aloud(codec: str) -> None:
    file = examined(ROWS.encode(codec))

    assert [cells[1] for _, cells in file.rows()] == [cells[1] for _, cells in READ]
    assert file.notes[0].startswith("Its special characters are unusual for Windows-1252")


def test_a_nul_is_of_its_cell_and_of_no_other() -> None:
    assert cells_of(b"email,name\na\0b@x.org,Doc\nc@x.org,Marty\n") == [
        (2, ["a\0b@x.org", "Doc"]),
        (3, ["c@x.org", "Marty"]),
    ]
