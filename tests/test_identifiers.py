"""What counts as the same email and the same phone number."""

import phonenumbers
import pytest
from email_validator import validate_email
from hypothesis import assume, example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from identity.errors import InvalidInput
from identity.identifiers import (
    _PLAIN_EMAIL,
    _PLAIN_PHONE,
    Identifiers,
    _digits,
    _international,
    _national,
    parse_email,
    parse_phone_number,
    plain_text,
)


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        ("mcfly@hillvalley.edu", "mcfly@hillvalley.edu"),
        ("  McFly@HillValley.EDU\n", "mcfly@hillvalley.edu"),
        ("user@BÜCHER.example", "user@bücher.example"),
        ("user@xn--bcher-kva.example", "user@bücher.example"),
        ("Jose\u0301@example.com", "josé@example.com"),
        ("\ufeffdoc\u202e@lab.example", "doc@lab.example"),
        ("doc@localhost", "doc@localhost"),
        ("doc@lab.invalid", "doc@lab.invalid"),
        ("doc+flux@lab.test", "doc+flux@lab.test"),
        ('"Emmett Brown"@lab.example', '"emmett brown"@lab.example'),
        (None, None),
        ("", None),
        (" \t ", None),
    ],
)
def test_emails_that_mean_the_same_become_the_same(typed: str | None, email: str | None) -> None:
    assert parse_email(typed) == email


@pytest.mark.parametrize(
    "typed",
    [
        "doc",
        "doc@",
        "@lab",
        "doc brown@lab.example",
        "Doc <doc@lab.example>",
        "doc@lab..example",
        "doc\x00@lab.example",
        "doc\x1b@lab.example",
        "doc\ud800@lab.example",
        "\x1fdoc@lab.example",
        "d" * 250 + "@lab.example",
        7,
        True,
        1.5,
        float("nan"),
        ["doc@lab.example"],
        {"email": "doc@lab.example"},
        b"doc@lab.example",
    ],
)
def test_what_is_no_email_is_refused_by_name(typed: object) -> None:
    with pytest.raises(ValueError, match=r"^email must"):
        parse_email(typed)


@pytest.mark.parametrize(
    ("typed", "region", "phone"),
    [
        ("123456", None, "123456"),
        (123456, None, "123456"),
        ("123456", "US", "123456"),
        ("717-171", None, "717171"),
        ("+123456", None, "+123456"),
        ("+1 (775) 555-0154", None, "+17755550154"),
        ("(775) 555-0154", "US", "+17755550154"),
        ("(775) 555-0154", None, "7755550154"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("(+44) 20 7946 0958", None, "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("\u202a+44 20 7946 0958\u202c", None, "+442079460958"),
        ("(\u00a0+44) 20 7946 0958", None, "+442079460958"),
        ("[+44] 20 7946 0958", None, "+442079460958"),
        ("\uff0b44 20 7946 0958", None, "+442079460958"),
        ("١٢٣٤٥٦", None, "123456"),
        ("１２３４５６", None, "123456"),
        ("+1-800-FLOWERS", None, "+18003569377"),
        ("+1 775 555 0154 ext. 7", None, "+17755550154;ext=7"),
        ("007", None, "007"),
        (0, None, "0"),
        (None, None, None),
        ("", None, None),
        ("   ", None, None),
    ],
)
def test_phone_numbers_that_mean_the_same_become_the_same(
    typed: object, region: str | None, phone: str | None
) -> None:
    assert parse_phone_number(typed, region) == phone


@pytest.mark.parametrize(
    "typed",
    [
        "call me",
        "1-800-FLOWERS",
        "+",
        "---",
        "12\x0034",
        "12\ud80034",
        "1" * 33,
        10**32,
        pytest.param(10**5000, id="five thousand digits"),
        -5,
        True,
        False,
        12.0,
        float("nan"),
        float("inf"),
        ["123456"],
        {"phone": "123456"},
        b"123456",
    ],
)
def test_what_is_no_phone_number_is_refused_by_name(typed: object) -> None:
    with pytest.raises(ValueError, match=r"^phoneNumber must"):
        parse_phone_number(typed)


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        Identifiers.parse("nobody", "nothing")

    assert set(caught.value.fields) == {"email", "phoneNumber"}


def test_nothing_given_is_an_error() -> None:
    with pytest.raises(InvalidInput, match=r"Either email or phoneNumber is required\."):
        Identifiers.parse(" ", None)


@given(st.text() | st.emails() | st.from_regex(r"[\w.+-]{1,20}@[\w.-]{1,20}"))
def test_what_was_normalised_stays_as_it_is(typed: str) -> None:
    try:
        email = parse_email(typed)
    except ValueError:
        return
    assert parse_email(email) == email


ATOMS = st.lists(st.text("ab9_+-", min_size=1, max_size=20), min_size=1, max_size=4)
WORDS = st.lists(st.text("ab9", min_size=1, max_size=20), min_size=1, max_size=4)


@given(ATOMS, st.lists(WORDS, min_size=1, max_size=3), st.text("abc", min_size=2, max_size=9))
def test_the_library_agrees_about_plain_emails(
    atoms: list[str], labels: list[list[str]], end: str
) -> None:
    email = f"{'.'.join(atoms)}@{'.'.join('-'.join(words) for words in labels)}.{end}"
    # Too long as a whole or in a part is the library's to say.
    assume(len(email) <= 254 and _PLAIN_EMAIL.fullmatch(email))

    checked = validate_email(email, check_deliverability=False, globally_deliverable=False)

    assert checked.normalized == email == parse_email(email)


@pytest.mark.parametrize("kind", [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE])
@pytest.mark.parametrize("dialled_first", ["", "0", "1", "8", "01", "44", "national prefix"])
def test_a_plain_number_is_what_the_library_makes_of_it(kind: int, dialled_first: str) -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, kind)
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if example is None or metadata is None:
            continue
        prefix = dialled_first.replace("national prefix", metadata.national_prefix or "")
        text = f"+{example.country_code}{prefix}{example.national_number}"
        if _PLAIN_PHONE.fullmatch(text):
            expected = _international(text, None) or _digits(text, plus=True)
            assert parse_phone_number(text) == expected


@given(
    st.text() | st.from_regex(r"\+?[0-9 ()-]{1,20}") | st.integers(),
    st.sampled_from([None, "US", "GB", "DE", "IT"]),
)
@example("3000\U00018cd60", "DE")
@example("3000\N{TELEPHONE RECEIVER}0", "DE")
def test_a_normalised_phone_number_stays_as_it_is(typed: str | int, region: str | None) -> None:
    try:
        phone = parse_phone_number(typed, region)
    except ValueError:
        return
    assert parse_phone_number(phone, region) == phone


def test_a_name_of_nothing_but_marks_is_refused_as_any_long_one() -> None:
    # Composed first, this one would take ten seconds.
    with pytest.raises(ValueError, match="name must be at most 200 characters"):
        plain_text("\u0316\u0301" * 60_000)
    assert plain_text("e\u0301" * 200) == "é" * 200


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
WRITTEN = "{}", "({}", "{} ", "0{}", "1{}", "1 ({})"


@given(st.sampled_from(REGIONS), st.text("0123456789", min_size=5, max_size=11), st.data())
def test_the_library_agrees_about_numbers_of_a_country(
    region: str, digits: str, data: st.DataObject
) -> None:
    example_number = phonenumbers.example_number(region)
    if example_number and data.draw(st.booleans()):
        national = phonenumbers.national_significant_number(example_number)
        digits = national[: -data.draw(st.integers(1, 4))] + digits[:4]
    marks = data.draw(st.lists(st.sampled_from(["", "", "", " ", "-", ".", ") "]), min_size=15))
    text = "".join(map(str.__add__, digits, marks)).strip()

    written = data.draw(st.sampled_from(WRITTEN)).format(text)

    found = _national(written, region)

    assert found is None or found == _international(written, region)
